package patch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/flotobuild/flotobuild/patch/media"
)

// An Opener opens patch files in all their forms: plain, encrypted, in volumes.
// The zero value has no keys, so that it opens what is not encrypted.
type Opener media.Options

// Open opens the patch file at path without keys.
func Open(path string) (*Reader, error) { return Opener{}.Open(path) }

// Open opens the patch file at path, and checks its structure as NewReader
// does. Where no key fits an encrypted file, the error is a
// *crypt.IdentityError or crypt.ErrPassphrase.
func (o Opener) Open(path string) (*Reader, error) {
	m, err := media.Open(path, media.Options(o))
	if pathError := (*fs.PathError)(nil); errors.As(err, &pathError) {
		return nil, fmt.Errorf("cannot open patch: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot open patch %q: %w", path, err)
	}
	r, err := newReader(m, m.Size)
	err = m.Retry(context.Background(), err, func() (err error) {
		r, err = newReader(m, m.Size)
		return err
	})
	if err != nil {
		m.Close()
		return nil, fmt.Errorf("cannot open patch %q: %w", path, err)
	}
	r.media = m
	return r, nil
}

// Recipients lists the types of those that the file is encrypted for, each
// once; nil for one that is not encrypted.
func (p *Reader) Recipients() []string {
	if p.media == nil {
		return nil
	}
	return p.media.Recipients
}

// Lost says which volumes of the file are missing for good, so that not all of
// it can be read; nil where nothing is.
func (p *Reader) Lost() error {
	if p.media == nil {
		return nil
	}
	return p.media.Lost
}
