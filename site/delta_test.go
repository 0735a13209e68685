package site

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/layers/layerstest"
)

func deltaChain(t *testing.T) (one, two, three *layerstest.Patch) {
	t.Helper()
	m := layerstest.New(t)
	one = m.Initial(m.Layer(1))
	two = m.Delta(one, m.Layer(2))
	return one, two, m.Delta(two, m.Layer(3))
}

func TestImportDelta(t *testing.T) {
	one, two, three := deltaChain(t)
	s := newSite(t)
	mustImport(t, s, one.Path)
	var last Progress
	b, err := os.ReadFile(two.Path)
	if err != nil {
		t.Fatal(err)
	}
	for n, src := range []Source{{Reader: bytes.NewReader(b), Name: "pipe"}, {Path: three.Path}} {
		got, err := s.Import(t.Context(), src, ImportOptions{Progress: func(p Progress) { last = p }})
		if err != nil {
			t.Fatal(err)
		}
		v := got.Record.Verified
		if v.Deltas != 1 || v.Layers != 1 || last.Done != last.Total || got.Record.Added <= two.Layer.Size {
			t.Errorf("%d: %+v, %+v, %d bytes added", n, v, last, got.Record.Added)
		}
	}
	sound(t, s)
	for _, l := range []patch.Layer{two.Layer, three.Layer} {
		if ok, err := s.blobs.Has(l.Digest, l.Size); err != nil || !ok {
			t.Errorf("the store lacks %s: %v", l.Digest, err)
		}
	}
	if c := mustCheck(t, s, CheckOptions{}); len(c.Damage) > 0 {
		t.Errorf("damage: %+v", c.Damage)
	}
	if _, err := os.Stat(s.path(patchesDir, two.Description.ID, "images", "deltas")); err == nil {
		t.Error("the delta was kept")
	}
}

// The bases are looked for before anything is written.
func TestImportDeltaWithoutBase(t *testing.T) {
	one, two, three := deltaChain(t)
	s := newSite(t)
	var missing *MissingError
	_, err := s.Import(t.Context(), Source{Path: two.Path}, ImportOptions{})
	if !errors.As(err, &missing) || len(missing.Blobs) != 1 || !missing.Blobs[0].Base || missing.Blobs[0].DiffID != one.Layer.DiffID || !strings.Contains(err.Error(), one.Description.ID) {
		t.Errorf("an empty store: %v", err)
	}
	untouched(t, s)
	mustImport(t, s, one.Path)
	_, err = s.Import(t.Context(), Source{Path: three.Path}, ImportOptions{})
	if !errors.As(err, &missing) || !strings.Contains(err.Error(), "which a layer of image \"app\" builds on") {
		t.Errorf("a skipped patch: %v", err)
	}
}

// A base that the disk has damaged makes no layer.
func TestImportDeltaOnDamage(t *testing.T) {
	one, two, _ := deltaChain(t)
	s := newSite(t)
	mustImport(t, s, one.Path)
	name := filepath.Join(s.blobs.Dir(), "blobs", "sha256", one.Layer.Digest.Encoded())
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.Chmod(name, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Import(t.Context(), Source{Path: two.Path}, ImportOptions{}); err == nil || !strings.Contains(err.Error(), "is damaged") {
		t.Errorf("got %v", err)
	}
	if ok, err := s.blobs.Has(two.Layer.Digest, two.Layer.Size); ok || err != nil {
		t.Errorf("there is a layer: %v", err)
	}
}

// Every flipped bit in a patch with a delta is refused, or was of no account.
func TestImportDamagedDelta(t *testing.T) {
	one, two, _ := deltaChain(t)
	good, err := os.ReadFile(two.Path)
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t)
	mustImport(t, s, one.Path)
	for at := 0; at < len(good); at += 37 + at%53 {
		bad := bytes.Clone(good)
		bad[at] ^= 1 << (at % 8)
		if _, err := s.Import(t.Context(), Source{Reader: bytes.NewReader(bad), Name: "pipe"}, ImportOptions{}); err == nil {
			t.Fatalf("byte %d: it was taken", at)
		}
	}
	mustImport(t, s, two.Path)
	sound(t, s)
}

// What a running import builds on is not collected.
func TestGCKeepsBases(t *testing.T) {
	one, two, _ := deltaChain(t)
	s := newSite(t)
	mustImport(t, s, one.Path)
	collected := make(chan error, 1)
	began := false
	_, err := s.Import(t.Context(), Source{Path: two.Path}, ImportOptions{Progress: func(p Progress) {
		if p.Phase == PhaseCopy && !began {
			began = true
			_, first := s.GC(t.Context(), GCOptions{Keep: 0}) // removes the patch
			_, second := s.GC(t.Context(), GCOptions{Keep: 0})
			collected <- errors.Join(first, second)
		}
	}})
	if err != nil {
		t.Errorf("import: %v", err)
	}
	if err := <-collected; err != nil {
		t.Errorf("gc: %v", err)
	}
}
