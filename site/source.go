package site

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/crypt"
)

// A Source is where a patch is read from.
type Source struct {
	// Path is that of a patch file, of one of its volumes, or of a folder with
	// them. It is read in place, encrypted or not.
	Path string
	// Reader is read once from its beginning to its end, where Path is empty.
	Reader io.Reader
	// Name stands for Reader in messages and records.
	Name string
	// Keys open encrypted files.
	Keys crypt.Keys
	// OnDamage is told the names of volumes that are damaged and that parity
	// makes up for; nil is for those who do not care.
	OnDamage func(path string, volumes []string)
}

// An input is an open source.
type input interface {
	header() *patch.Header
	signature() ([]byte, error)
	// peek reads a small entry ahead of walk; nil where there is no going back.
	peek(name string) ([]byte, error)
	// walk calls f for every entry of the contents, in their order. open may be
	// called once, while f runs. What f does not open need not be read.
	walk(ctx context.Context, f func(c patch.Content, open func() (io.Reader, error)) error) error
	size() int64 // bytes of the patch file; 0 while it is not known
	recipients() []string
	io.Closer
}

// openInput opens a source and checks what can be checked without reading all
// of it.
func openInput(src Source) (input, error) {
	if src.Path == "" {
		return openStream(src)
	}
	p, err := patch.Opener{Keys: src.Keys, OnDamage: src.OnDamage}.Open(src.Path)
	if err != nil {
		return nil, err
	}
	if err := p.Lost(); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot open patch %q: %w", src.Path, err), p.Close())
	}
	return fileInput{p}, nil
}

// name is that of the file, without its folders.
func (s Source) name() string {
	if s.Path != "" {
		return filepath.Base(s.Path)
	}
	return s.Name
}

// fileInput is a patch that can be read anywhere.
type fileInput struct{ p *patch.Reader }

func (i fileInput) header() *patch.Header      { return &i.p.Header }
func (i fileInput) signature() ([]byte, error) { return i.p.Signature() }
func (i fileInput) size() int64                { return i.p.Size() }
func (i fileInput) recipients() []string       { return i.p.Recipients() }
func (i fileInput) Close() error               { return i.p.Close() }

func (i fileInput) peek(name string) ([]byte, error) {
	r, err := i.p.Open(name)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func (i fileInput) walk(ctx context.Context, f func(patch.Content, func() (io.Reader, error)) error) error {
	for _, c := range i.p.Description.Flotobuild.Contents {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := f(c, func() (io.Reader, error) { return i.p.Open(c.Path) }); err != nil {
			return i.located(c, err)
		}
	}
	return nil
}

// located adds to an error about wrong content the volumes that it stands in.
func (i fileInput) located(c patch.Content, err error) error {
	volumes := i.p.Volumes(c.Path)
	if len(volumes) == 0 || !errors.Is(err, verify.ErrContent) {
		return err
	}
	return fmt.Errorf("%w; it stands in %s", err, strings.Join(volumes, ", "))
}

// streamInput is a patch that can be read once.
type streamInput struct {
	*patch.Stream
	clear *crypt.Stream
}

func openStream(src Source) (input, error) {
	clear, err := crypt.NewStream(src.Reader, src.Name, src.Keys)
	if err != nil {
		return nil, fmt.Errorf("cannot open patch %q: %w", src.Name, err)
	}
	s, err := patch.NewStream(clear)
	if err != nil {
		return nil, fmt.Errorf("cannot open patch %q: %w", src.Name, err)
	}
	return streamInput{s, clear}, nil
}

func (i streamInput) header() *patch.Header       { return &i.Header }
func (i streamInput) signature() ([]byte, error)  { return i.Signature(), nil }
func (i streamInput) peek(string) ([]byte, error) { return nil, nil }
func (i streamInput) size() int64                 { return i.Size() }
func (i streamInput) recipients() []string        { return i.clear.Recipients() }
func (i streamInput) Close() error                { return nil }

func (i streamInput) walk(ctx context.Context, f func(patch.Content, func() (io.Reader, error)) error) error {
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		c, r, err := i.Next()
		if errors.Is(err, io.EOF) {
			return i.drained()
		}
		if err != nil {
			return err
		}
		if err := f(c, func() (io.Reader, error) { return r, nil }); err != nil {
			return err
		}
	}
}

// drained checks that nothing follows the patch: of an encrypted file, that its
// last chunk is the last.
func (i streamInput) drained() error {
	var b [1]byte
	switch n, err := io.ReadFull(i.clear, b[:]); {
	case n > 0:
		return errors.New("data follows the end of the patch")
	case !errors.Is(err, io.EOF):
		return err
	}
	return nil
}
