package store

import (
	"archive/tar"
	"fmt"
	"maps"
	"path"
	"strings"
)

// whiteout starts names that delete a file of the layer below.
const whiteout = ".wh."

// selectEntry says whether a tar entry belongs into a layer. Names that leave
// the root, or that engines would take for something else, are refused.
func selectEntry(h *tar.Header) (bool, error) {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return false, nil
	}
	if err := checkName(h.Name); err != nil {
		return false, fmt.Errorf("entry %q %w", h.Name, err)
	}
	if belowDev(h.Name) {
		return false, nil
	}
	if h.Typeflag != tar.TypeLink {
		return true, nil
	}
	if err := checkName(h.Linkname); err != nil {
		return false, fmt.Errorf("entry %q is a hard link to %q, which %w", h.Name, h.Linkname, err)
	}
	if belowDev(h.Linkname) {
		return false, fmt.Errorf("entry %q is a hard link to %q, which is left out as everything below dev/: make it a file of its own", h.Name, h.Linkname)
	}
	return true, nil
}

func checkName(name string) error {
	clean := path.Clean(name)
	switch {
	case name == "":
		return fmt.Errorf("is empty: the tar file is damaged")
	case strings.ContainsRune(name, 0):
		return fmt.Errorf("holds a NUL byte: the tar file is damaged")
	case path.IsAbs(name):
		return fmt.Errorf("is an absolute name: make the tar file with names relative to the root (tar -C ROOT -c .)")
	case clean == ".." || strings.HasPrefix(clean, "../"):
		return fmt.Errorf("leads out of the root: make the tar file with names relative to the root (tar -C ROOT -c .)")
	case strings.HasPrefix(path.Base(clean), whiteout):
		return fmt.Errorf("has a name that container engines take for a deletion: rename or remove it")
	}
	return nil
}

// belowDev says whether a name stands below dev/; the folder itself does not.
func belowDev(name string) bool { return strings.HasPrefix(path.Clean(name), "dev/") }

// unsparse gives a header that the tar writer takes: the reader fills the
// holes of sparse files, and the writer cannot make any.
func unsparse(h *tar.Header) *tar.Header {
	c := *h
	if c.Typeflag == tar.TypeGNUSparse {
		c.Typeflag, c.Format = tar.TypeReg, tar.FormatUnknown
	}
	c.PAXRecords = maps.Clone(h.PAXRecords)
	maps.DeleteFunc(c.PAXRecords, func(k, _ string) bool { return strings.HasPrefix(k, "GNU.sparse.") })
	return &c
}
