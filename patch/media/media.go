// Package media opens patch files in whatever form they travel: as a plain
// file, encrypted, or in volumes. All forms are read in place.
package media

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/flotobuild/flotobuild/internal/regular"
	"github.com/flotobuild/flotobuild/patch/crypt"
	"github.com/flotobuild/flotobuild/patch/volume"
)

// Options say what media are opened with.
type Options struct {
	// Keys decrypt encrypted files.
	Keys crypt.Keys
}

// A Media is an open file with the bytes of a patch. It is safe for concurrent
// use.
type Media struct {
	io.ReaderAt
	// Size is the number of bytes that can be read.
	Size int64
	// Stored is the number of bytes that they take on the medium.
	Stored int64
	// Recipients are the types of those that the file is encrypted for; nil for
	// a file that is not.
	Recipients []string

	// Volumes are those that the file is in; nil for one file.
	Volumes *volume.Set
	// Lost says which volumes are missing for good, and is nil when all bytes
	// can be read.
	Lost error

	file io.Closer
}

// Close closes the files.
func (m *Media) Close() error { return m.file.Close() }

// Open opens the file at path. Whether its content is a patch is not checked.
// Errors of the system name the path; others do not.
func Open(path string, o Options) (*Media, error) {
	m, err := openStored(path)
	if err != nil {
		return nil, err
	}
	if err := m.decrypt(path, o.Keys); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// openStored opens the bytes as they are stored, encrypted or not: one file, or
// the volumes that a file or folder belongs to. A file that is named like a
// volume and belongs to none is a file.
func openStored(path string) (*Media, error) {
	info, err := os.Stat(path)
	folder := err == nil && info.IsDir()
	if folder || volume.Is(path) {
		m, err := openVolumes(path)
		if err == nil || folder || !volume.HasName(path) {
			return m, err
		}
	}
	f, info, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	return &Media{ReaderAt: f, Size: info.Size(), Stored: info.Size(), file: f}, nil
}

// openVolumes opens a file that is in volumes. Volumes that are missing for
// good show when they are read, so that the first alone tells what it is of.
func openVolumes(path string) (*Media, error) {
	r, err := volume.Open(path)
	if err != nil {
		return nil, err
	}
	return &Media{ReaderAt: r, Size: r.Size(), Stored: r.Set().Stored(), Volumes: r.Set(), Lost: r.Err(), file: r}, nil
}

// decrypt makes m the content of an encrypted file.
func (m *Media) decrypt(path string, keys crypt.Keys) error {
	first := make([]byte, len(crypt.Magic))
	n, err := m.ReadAt(first, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("cannot read %q: %w", path, err)
	}
	if !crypt.IsEncrypted(first[:n]) {
		return nil
	}
	r, err := crypt.Open(m.ReaderAt, m.Size, path, keys)
	if err != nil {
		return err
	}
	m.ReaderAt, m.Size, m.Recipients = r, r.Size(), r.Recipients()
	return nil
}
