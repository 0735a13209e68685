// Package media opens patch files in whatever form they travel: as a plain
// file, encrypted, or in volumes. All forms are read in place.
package media

import (
	"context"
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
	// OnDamage is told the names of volumes that are damaged and that parity
	// makes up for; nil tells nobody. It may be called by several goroutines.
	OnDamage func(path string, volumes []string)
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

	path     string
	volumes  *volume.Reader // nil for one file
	onDamage func(path string, volumes []string)
	file     io.Closer
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
	m.path, m.onDamage = path, o.OnDamage
	err = m.decrypt(path, o.Keys)
	if err != nil && !lacksKey(err) {
		err = m.Retry(context.Background(), err, func() error { return m.decrypt(path, o.Keys) })
	}
	if err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// lacksKey says whether nothing but a key is missing. A damaged header may look
// like that, too, but to read all volumes for a key is too much.
func lacksKey(err error) bool {
	return errors.As(err, new(*crypt.IdentityError)) || errors.Is(err, crypt.ErrPassphrase) || errors.Is(err, crypt.ErrNoPassphrase)
}

// Retry is for an err that damage may explain: of a file in volumes it finds the
// damaged ones, and tries again without them. The error names those that cannot
// be made up for. Of a file that is not in volumes it is err.
func (m *Media) Retry(ctx context.Context, err error, again func() error) error {
	if err == nil || m.volumes == nil || m.Lost != nil || ctx.Err() != nil {
		return err
	}
	damaged, merr := m.volumes.Mend(ctx)
	if merr != nil {
		return fmt.Errorf("%w: %w", merr, err)
	}
	if len(damaged) > 0 && m.onDamage != nil {
		m.onDamage(m.path, damaged)
	}
	return again() // another call may have found the damage
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
	return &Media{ReaderAt: r, Size: r.Size(), Stored: r.Set().Stored(), Volumes: r.Set(), Lost: r.Err(), volumes: r, file: r}, nil
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
