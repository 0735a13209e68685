package layers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch/layers/layerstest"
)

// chain writes patches 1 to 3; each changes a file of the layer before, and all
// but the first carry it as a delta.
func chain(t *testing.T) []*layerstest.Patch {
	t.Helper()
	m := layerstest.New(t)
	out := []*layerstest.Patch{m.Initial(m.Layer(1))}
	for n := 2; n <= 3; n++ {
		out = append(out, m.Delta(out[len(out)-1], m.Layer(n)))
	}
	return out
}

func source(t *testing.T, patches ...*layerstest.Patch) *Source {
	t.Helper()
	s := New(t.TempDir())
	for _, p := range patches {
		s.Add(p.Reader)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestChain(t *testing.T) {
	all := chain(t)
	s := source(t, all...)
	for n, p := range all {
		l := p.Layer
		if !s.Has(l.DiffID) {
			t.Errorf("layer %d cannot be made", n+1)
		}
		r, size, err := s.Tar(t.Context(), l.DiffID)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(io.NewSectionReader(r, 0, size))
		if err != nil || digest.FromBytes(b) != l.DiffID {
			t.Errorf("layer %d is another one: %v", n+1, err)
		}
	}
	if entries, err := os.ReadDir(s.dir); err != nil || len(entries) > 0 {
		t.Errorf("files are left: %v, %v", entries, err)
	}
}

func TestBlob(t *testing.T) {
	all := chain(t)
	s := source(t, all...)
	l := all[2].Layer
	b, err := s.Blob(t.Context(), l.Digest)
	if err != nil || b.Size() != l.Size {
		t.Fatal(err)
	}
	got, err := io.ReadAll(io.NewSectionReader(b, 0, b.Size()))
	if err != nil || digest.FromBytes(got) != l.Digest {
		t.Errorf("it is another one: %v", err)
	}
	if _, err := s.Blob(t.Context(), all[0].Layer.Digest); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a whole one: %v", err)
	}
}

func TestGap(t *testing.T) {
	all := chain(t)
	s := source(t, all[0], all[2])
	l := all[2].Layer
	if s.Has(l.DiffID) {
		t.Error("a layer without its base can be made")
	}
	if _, _, err := s.Tar(t.Context(), l.DiffID); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("tar: %v", err)
	}
	if _, err := s.Blob(t.Context(), l.Digest); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("blob: %v", err)
	}
}

// Of a long chain only the end stays on the disk, whether layers or blobs of it
// are asked for, and in whatever order.
func TestChainLetsGo(t *testing.T) {
	const length = 12
	m := layerstest.New(t)
	all := []*layerstest.Patch{m.Initial(m.Layer(1))}
	for n := 2; n <= length; n++ {
		all = append(all, m.Delta(all[len(all)-1], m.Layer(n)))
	}
	tar := func(s *Source, n int) {
		t.Helper()
		r, size, err := s.Tar(t.Context(), all[n].Layer.DiffID)
		if err != nil {
			t.Fatal(err)
		}
		if d, err := digest.FromReader(io.NewSectionReader(r, 0, size)); err != nil || d != all[n].Layer.DiffID {
			t.Errorf("layer %d is %s: %v", n, d, err)
		}
	}
	s := source(t, all...)
	tar(s, length-1)
	if len(s.tars) != 2 {
		t.Errorf("%d layers are unpacked", len(s.tars))
	}
	first, size, err := s.Tar(t.Context(), all[0].Layer.DiffID)
	if err != nil {
		t.Fatal(err)
	}
	tar(s, length/2)
	b, err := s.Blob(t.Context(), all[length-3].Layer.Digest)
	if err != nil {
		t.Fatal(err)
	}
	if d, err := digest.FromReader(io.NewSectionReader(b, 0, b.Size())); err != nil || d != all[length-3].Layer.Digest {
		t.Errorf("the blob is %s: %v", d, err)
	}
	if len(s.tars) > 6 {
		t.Errorf("%d layers are unpacked", len(s.tars))
	}
	if d, err := digest.FromReader(io.NewSectionReader(first, 0, size)); err != nil || d != all[0].Layer.DiffID {
		t.Errorf("what was asked for is let go: %v", err)
	}
}

// Two patches, each of which wants the other's layer as base.
func TestCircle(t *testing.T) {
	m := layerstest.New(t)
	a, b := m.Initial(m.Layer(1)), m.Initial(m.Layer(2))
	s := source(t, m.Delta(a, b.Layer), m.Delta(b, a.Layer))
	for _, l := range []digest.Digest{a.Layer.DiffID, b.Layer.DiffID} {
		if s.Has(l) {
			t.Errorf("%s can be made of itself", l)
		}
		if _, _, err := s.Tar(t.Context(), l); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("tar: %v", err)
		}
	}
}

func TestDamagedBase(t *testing.T) {
	all := chain(t)
	bad := all[0].Damaged(t)
	s := source(t, bad, all[1])
	if _, _, err := s.Tar(t.Context(), all[1].Layer.DiffID); err == nil {
		t.Error("a damaged base is taken")
	}
}

func TestCancelled(t *testing.T) {
	all := chain(t)
	s := source(t, all...)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.Tar(ctx, all[2].Layer.DiffID); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, _, err := s.Tar(t.Context(), all[2].Layer.DiffID); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestNoFolder(t *testing.T) {
	all := chain(t)
	s := source(t, all...)
	s.dir = "/dev/null/x"
	if _, _, err := s.Tar(t.Context(), all[0].Layer.DiffID); err == nil {
		t.Error("no error")
	}
}

func TestConcurrent(t *testing.T) {
	all := chain(t)
	s := source(t, all...)
	done := make(chan error)
	for range 8 {
		go func() {
			b, err := s.Blob(t.Context(), all[2].Layer.Digest)
			if err == nil {
				var got []byte
				got, err = io.ReadAll(io.NewSectionReader(b, 0, b.Size()))
				if digest.FromBytes(got) != all[2].Layer.Digest {
					err = fmt.Errorf("another one: %w", err)
				}
			}
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// However long the chain, the message names what matters, and where there is no
// room for layers.
func TestNoRoom(t *testing.T) {
	m := layerstest.New(t)
	all := []*layerstest.Patch{m.Initial(m.Layer(1)).Damaged(t)}
	for n := 2; n <= 5; n++ {
		all = append(all, m.Delta(all[n-2], m.Layer(n)))
	}
	s := source(t, all...)
	_, _, err := s.Tar(t.Context(), all[4].Layer.DiffID)
	if err == nil || strings.Count(err.Error(), "base ") != 1 || !strings.Contains(err.Error(), string(all[0].Layer.DiffID)) {
		t.Errorf("got %v", err)
	}
	if err := s.explain(io.EOF); !errors.Is(err, io.EOF) || strings.Contains(err.Error(), "TMPDIR") {
		t.Errorf("another failure: %v", err)
	}
	full := fmt.Errorf("write: %w", syscall.ENOSPC)
	if err := New("").explain(full); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "TMPDIR") {
		t.Errorf("in the folder of the system: %v", err)
	}
}
