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

// A tar is a layer unpacked.
type tar struct {
	*io.SectionReader
	close func() error
	kept  bool // until the source is closed
}

// A making makes what somebody asks for, and lets go of what it needs on the way
// when nothing else on the way needs it.
type making struct {
	*Source
	planned map[digest.Digest]bool
	uses    map[digest.Digest]int // how many deltas on the way build on a layer, and are not made yet
}

func (s *Source) newMaking() *making {
	return &making{s, make(map[digest.Digest]bool), make(map[digest.Digest]int)}
}

// plan counts the uses of all that a layer may be made of.
func (m *making) plan(id digest.Digest) {
	for queue := []digest.Digest{id}; len(queue) > 0; queue = queue[1:] {
		now := queue[0]
		if m.planned[now] || m.tars[now] != nil || m.fails[now] != nil {
			continue
		}
		m.planned[now] = true
		for _, p := range m.ways(now) {
			for _, base := range p.bases() {
				m.uses[base]++
				queue = append(queue, base)
			}
		}
	}
}

// ways lists the places that a layer is taken from, the best first.
func (s *Source) ways(id digest.Digest) []place {
	rank, ok := s.ranked()[id]
	if !ok {
		return nil
	}
	var out []place
	for _, p := range s.places[id] {
		if p.delta != nil {
			if r := s.after(p); r < 0 || r > rank {
				continue
			}
		}
		out = append(out, p)
	}
	return out
}

// bases are the layers that a place needs.
func (p place) bases() []digest.Digest {
	if p.delta == nil {
		return nil
	}
	return p.delta.Bases
}

// tar gives a layer that is asked for, and keeps what it builds on directly:
// other layers do so, too.
func (m *making) tar(ctx context.Context, id digest.Digest) (*tar, error) {
	m.plan(id)
	for _, p := range m.ways(id) {
		m.keep(p)
	}
	return m.get(ctx, id)
}

// keep sees to it that what a place needs is not let go.
func (m *making) keep(p place) {
	for _, base := range p.bases() {
		m.uses[base]++
	}
}

// get gives a layer's tar from the first place that has it.
func (m *making) get(ctx context.Context, id digest.Digest) (*tar, error) {
	if t := m.tars[id]; t != nil {
		return t, nil
	}
	if err := m.fails[id]; err != nil {
		return nil, err
	}
	ways := m.ways(id)
	if len(ways) == 0 {
		return nil, fs.ErrNotExist
	}
	var errs []error
	for _, p := range ways {
		t, err := m.take(ctx, p)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err == nil {
			m.tars[id] = t
			return t, m.passed(ways)
		}
		errs = append(errs, err)
	}
	m.fails[id] = errors.Join(append(errs, m.passed(ways))...)
	return nil, m.fails[id]
}

// passed lets go of what a layer was made of.
func (m *making) passed(ways []place) error {
	var errs []error
	for _, p := range ways {
		for _, base := range p.bases() {
			m.uses[base]--
			if t := m.tars[base]; t != nil && m.uses[base] == 0 && !t.kept {
				delete(m.tars, base)
				errs = append(errs, t.close())
			}
		}
	}
	return errors.Join(errs...)
}

func (m *making) take(ctx context.Context, p place) (*tar, error) {
	if p.delta == nil {
		return m.whole(ctx, p)
	}
	bases, err := m.open(ctx, p)
	if err != nil {
		return nil, err
	}
	f, err := m.fill(func(f *os.File) error {
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
	return &tar{io.NewSectionReader(f, 0, p.delta.Delta.Size), f.Close, false}, nil
}

// bases opens what a delta needs whose blob is asked for.
func (m *making) bases(ctx context.Context, p place) (delta.Bases, error) {
	for _, base := range p.bases() {
		m.plan(base)
	}
	m.keep(p)
	return m.open(ctx, p)
}

// open opens what a delta needs.
func (m *making) open(ctx context.Context, p place) (delta.Bases, error) {
	tars := make(map[digest.Digest]*tar)
	var size int64
	for _, id := range p.delta.Bases {
		t, err := m.get(ctx, id)
		if deeper := (*baseError)(nil); errors.As(err, &deeper) {
			return nil, err // which names the one that matters
		}
		if err != nil {
			return nil, &baseError{id, err}
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

// A baseError is about a layer that others are made of, however far down the
// chain.
type baseError struct {
	id  digest.Digest
	err error
}

// Error satisfies error.
func (e *baseError) Error() string { return fmt.Sprintf("base %q: %v", e.id, e.err) }

// Unwrap returns the cause.
func (e *baseError) Unwrap() error { return e.err }

// whole unpacks a blob. One that is not compressed is read where it is.
func (s *Source) whole(ctx context.Context, p place) (_ *tar, err error) {
	b, err := p.src.Blob(ctx, p.layer.Digest)
	if err != nil {
		return nil, err
	}
	r := verify.NewReader(io.NewSectionReader(b, 0, b.Size()), fmt.Sprintf("blob %q", p.layer.Digest), p.layer.Size, p.layer.Digest)
	if !store.Compressed(p.layer.MediaType) && p.layer.Digest == p.layer.DiffID {
		if _, err := verify.Copy(ctx, io.Discard, r); err != nil {
			return nil, errors.Join(err, b.Close())
		}
		return &tar{io.NewSectionReader(b, 0, p.layer.Size), b.Close, false}, nil
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
	return &tar{io.NewSectionReader(f, 0, n), f.Close, false}, nil
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
