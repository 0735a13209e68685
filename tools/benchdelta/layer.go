package main

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// A layer collects entries and writes them as container builders do: sorted by
// path, in PAX format, whole seconds, numeric owners. Contents wait in a file,
// so that memory stays small: children's peak memory is measured, and a
// child's count starts at its parent's.
type layer struct {
	built   time.Time // of folders and of everything that the build itself wrote
	entries map[string]*entry
	spool   *os.File
	size    int64
}

type entry struct {
	header tar.Header
	offset int64
}

// mergedDirs are the folders that a merged /usr replaces by links.
var mergedDirs = []string{"bin", "lib", "lib32", "lib64", "libx32", "sbin"}

func newLayer(built time.Time) (*layer, error) {
	spool, err := os.CreateTemp("", "benchdelta-")
	if err != nil {
		return nil, err
	}
	return &layer{built: built, entries: map[string]*entry{}, spool: spool}, nil
}

// close frees the waiting contents.
func (l *layer) close() {
	_ = l.spool.Close()
	_ = os.Remove(l.spool.Name())
}

// addTar adds what a Debian package unpacks, with /usr merged.
func (l *layer) addTar(r io.Reader) error {
	for t := tar.NewReader(r); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := merged(h.Name)
		if name == "" || slices.Contains(mergedDirs, name) {
			continue
		}
		h.Name = name
		switch h.Typeflag {
		case tar.TypeDir:
			h.ModTime = l.built
		case tar.TypeLink:
			h.Linkname = merged(h.Linkname)
		}
		if err := l.add(*h, t); err != nil {
			return err
		}
	}
}

// merged is a package's path in an image with a merged /usr.
func merged(name string) string {
	name = strings.Trim(strings.TrimPrefix(name, "."), "/")
	if top, _, ok := strings.Cut(name, "/"); ok && slices.Contains(mergedDirs, top) {
		return "usr/" + name
	}
	return name
}

// addMergedLinks adds the links of a merged /usr.
func (l *layer) addMergedLinks() error {
	for _, name := range []string{"bin", "lib", "lib64", "sbin"} {
		h := tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: "usr/" + name, Mode: 0o777, ModTime: l.built}
		if err := l.add(h, nil); err != nil {
			return err
		}
	}
	return nil
}

// addBytes adds a file that the build wrote.
func (l *layer) addBytes(name string, mode int64, content string) error {
	return l.addFile(name, mode, l.built, int64(len(content)), strings.NewReader(content))
}

func (l *layer) addFile(name string, mode int64, modified time.Time, size int64, content io.Reader) error {
	return l.add(tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, ModTime: modified, Size: size}, content)
}

// add keeps one entry, and folders above it that no one has added yet. A
// folder that is there stays as it is; any other entry replaces an older one.
func (l *layer) add(h tar.Header, content io.Reader) error {
	if old := l.entries[h.Name]; old != nil && (old.header.Typeflag == tar.TypeDir || h.Typeflag == tar.TypeDir) {
		return nil
	}
	for parent := h.Name; ; {
		cut := strings.LastIndexByte(parent, '/')
		if cut < 0 {
			break
		}
		parent = parent[:cut]
		if l.entries[parent] == nil {
			l.entries[parent] = &entry{header: tar.Header{Typeflag: tar.TypeDir, Name: parent, Mode: 0o755, ModTime: l.built}}
		}
	}
	e := &entry{header: h, offset: l.size}
	if h.Typeflag == tar.TypeReg && h.Size > 0 {
		n, err := io.Copy(l.spool, content)
		if err != nil {
			return err
		}
		if n != h.Size {
			return fmt.Errorf("cannot add %q: it has %d bytes instead of %d", h.Name, n, h.Size)
		}
		l.size += n
	}
	l.entries[h.Name] = e
	return nil
}

// write writes the tar file.
func (l *layer) write(w io.Writer) error {
	t := tar.NewWriter(w)
	for _, name := range slices.Sorted(maps.Keys(l.entries)) {
		e := l.entries[name]
		h := e.header
		if h.Typeflag == tar.TypeDir {
			h.Name += "/"
		}
		out := tar.Header{
			Typeflag: h.Typeflag, Name: h.Name, Linkname: h.Linkname, Size: h.Size, Mode: h.Mode, Uid: h.Uid, Gid: h.Gid,
			ModTime: h.ModTime.Truncate(time.Second), Devmajor: h.Devmajor, Devminor: h.Devminor, Format: tar.FormatPAX,
		}
		if err := t.WriteHeader(&out); err != nil {
			return err
		}
		if _, err := io.Copy(t, io.NewSectionReader(l.spool, e.offset, h.Size)); err != nil {
			return err
		}
	}
	return t.Close()
}
