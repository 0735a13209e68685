package main

import (
	"archive/tar"
	"errors"
	"io"
	"path"
	"strings"
)

// addControl adds a package's control files to dpkg's database in the layer,
// and the package to its list.
func (l *layer) addControl(r io.Reader, status *strings.Builder) error {
	files, err := readControl(r)
	if err != nil {
		return err
	}
	name := writeStatus(files["control"].content, status)
	delete(files, "control")
	for file, c := range files {
		if err := l.addBytes("var/lib/dpkg/info/"+name+"."+file, c.mode, c.content); err != nil {
			return err
		}
	}
	return nil
}

// addStatus adds a package to dpkg's list only.
func addStatus(r io.Reader, status *strings.Builder) error {
	files, err := readControl(r)
	if err != nil {
		return err
	}
	writeStatus(files["control"].content, status)
	return nil
}

// writeStatus writes a package's paragraph and returns its name.
func writeStatus(control string, status *strings.Builder) string {
	first, rest, _ := strings.Cut(control, "\n")
	status.WriteString(first + "\nStatus: install ok installed\n" + rest + "\n")
	return strings.TrimPrefix(first, "Package: ")
}

// A controlFile is one of a package's files for dpkg itself.
type controlFile struct {
	mode    int64
	content string
}

func readControl(r io.Reader) (map[string]controlFile, error) {
	files := map[string]controlFile{}
	for t := tar.NewReader(r); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		content, err := io.ReadAll(t)
		if err != nil {
			return nil, err
		}
		files[path.Base(h.Name)] = controlFile{h.Mode, string(content)}
	}
}
