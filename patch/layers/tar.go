package layers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/delta"
	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/store"
)

// tar gives a layer's tar from the first place that has it.
func (s *Source) tar(ctx context.Context, id digest.Digest) (*io.SectionReader, error) {
	if t := s.tars[id]; t != nil {
		return t, nil
	}
	if err := s.fails[id]; err != nil {
		return nil, err
	}
	rank, ok := s.ranked()[id]
	if !ok {
		return nil, fs.ErrNotExist
	}
	var errs []error
	for _, p := range s.places[id] {
		if p.delta != nil && (s.after(p) < 0 || s.after(p) > rank) {
			continue
		}
		t, err := s.take(ctx, p)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err == nil {
			s.tars[id] = t
			return t, nil
		}
		errs = append(errs, err)
	}
	s.fails[id] = errors.Join(errs...)
	return nil, s.fails[id]
}

func (s *Source) take(ctx context.Context, p place) (*io.SectionReader, error) {
	if p.delta == nil {
		return s.whole(ctx, p)
	}
	bases, err := s.bases(ctx, p)
	if err != nil {
		return nil, err
	}
	f, err := s.fill(func(f *os.File) error {
		r, err := p.patch.Open(patch.DeltaEntry(p.delta.Delta.Digest))
		if err != nil {
			return err
		}
		defer r.Close()
		return p.delta.Unpack(ctx, r, bases, f)
	})
	if err != nil {
		return nil, err
	}
	return io.NewSectionReader(f, 0, p.delta.Delta.Size), nil
}

// bases opens what a delta needs.
func (s *Source) bases(ctx context.Context, p place) (delta.Bases, error) {
	tars := make(map[digest.Digest]*io.SectionReader)
	var size int64
	for _, id := range p.delta.Bases {
		t, err := s.tar(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("base %q: %w", id, err)
		}
		if tars[id], size = t, size+t.Size(); size > p.delta.Delta.BaseSize {
			return nil, fmt.Errorf("base %q is larger than the patch says", id)
		}
	}
	return func(id digest.Digest) (io.ReaderAt, int64, error) {
		t, ok := tars[id]
		if !ok {
			return nil, 0, fs.ErrNotExist
		}
		return t, t.Size(), nil
	}, nil
}

// whole unpacks a blob. One that is not compressed is read where it is.
func (s *Source) whole(ctx context.Context, p place) (_ *io.SectionReader, err error) {
	b, err := p.src.Blob(ctx, p.layer.Digest)
	if err != nil {
		return nil, err
	}
	r := verify.NewReader(io.NewSectionReader(b, 0, b.Size()), fmt.Sprintf("blob %q", p.layer.Digest), p.layer.Size, p.layer.Digest)
	if !store.Compressed(p.layer.MediaType) && p.layer.Digest == p.layer.DiffID {
		if _, err := verify.Copy(ctx, io.Discard, r); err != nil {
			return nil, errors.Join(err, b.Close())
		}
		s.open = append(s.open, b)
		return io.NewSectionReader(b, 0, p.layer.Size), nil
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	hash := digest.SHA256.Digester()
	var n int64
	f, err := s.fill(func(f *os.File) error {
		n, err = unpack(ctx, p.layer, r, io.MultiWriter(f, hash.Hash()))
		if err == nil && hash.Digest() != p.layer.DiffID {
			err = fmt.Errorf("blob %q holds the layer %q instead of %q", p.layer.Digest, hash.Digest(), p.layer.DiffID)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return io.NewSectionReader(f, 0, n), nil
}

// unpack writes a layer's tar.
func unpack(ctx context.Context, l patch.Layer, r io.Reader, w io.Writer) (int64, error) {
	z, err := store.Decompress(l.MediaType, verify.ContextReader(ctx, r))
	if err != nil {
		return 0, err
	}
	defer z.Close()
	return verify.Copy(ctx, w, z)
}
