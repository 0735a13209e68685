package site

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/flotobuild/flotobuild/patch"
)

// An import that was interrupted goes on with the layers that it had made.
func TestImportDeltaResumes(t *testing.T) {
	paths := newMaker(t).deltaChain(2)
	s := newSite(t)
	mustImport(t, s, paths[0])
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var made int64
	_, err := s.Import(ctx, Source{Path: paths[1]}, ImportOptions{Progress: func(p Progress) {
		if p.Phase == PhaseCopy && p.Done > p.Total*3/5 {
			made = p.Done
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || made == 0 {
		t.Fatalf("after %d bytes: %v", made, err)
	}
	got := mustImport(t, s, paths[1])
	v := got.Record.Verified
	if got.Resumed < 20<<10 || v.Known < 1 || v.Deltas > 2 {
		t.Errorf("%d bytes were there, %+v", got.Resumed, v)
	}
	sound(t, s)
	if l := leaks(t, s); len(l) > 0 {
		t.Errorf("left: %q", l)
	}
}

// Several patches on top of one come in at once, each with deltas, and the
// patch below may go meanwhile.
func TestImportDeltasAtOnce(t *testing.T) {
	first := newMaker(t)
	one := first.deltaChain(2)
	s := newSite(t)
	mustImport(t, s, one[0])
	other, err := Open(s.Dir())
	if err != nil {
		t.Fatal(err)
	}
	branch := branchOf(t, first, one[0])
	var wg sync.WaitGroup
	for store, path := range map[*Site]string{s: one[1], other: branch} {
		wg.Go(func() {
			if _, err := store.Import(t.Context(), Source{Path: path}, ImportOptions{}); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		})
	}
	wg.Wait()
	sound(t, s)
	if l := leaks(t, s); len(l) > 0 {
		t.Errorf("left: %q", l)
	}
	if all, err := s.List(t.Context()); err != nil || len(all) != 3 {
		t.Errorf("%d patches: %v", len(all), err)
	}
}

// branchOf makes another patch on top of the first of a chain, with the same
// layers as deltas.
func branchOf(t *testing.T, m *maker, first string) string {
	t.Helper()
	m.files["conf/plant.hcl"] = "another plant\n"
	m.dir = t.TempDir()
	return m.deltaChainOn(header(t, first), 7)
}

// What was rolled back and collected is named when the next patch builds on it.
func TestImportDeltaAfterRollback(t *testing.T) {
	paths := newMaker(t).deltaChain(4)
	s := newSite(t)
	var ids []string
	for _, p := range paths[:3] {
		ids = append(ids, mustImport(t, s, p).Record.ID)
		if err := s.Activate(t.Context(), ids[len(ids)-1], "test"); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if _, err := s.Rollback(t.Context(), "", "test"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.GC(t.Context(), GCOptions{}); err != nil {
		t.Fatal(err)
	}
	var missing *MissingError
	_, err := s.Import(t.Context(), Source{Path: paths[3]}, ImportOptions{})
	if !errors.As(err, &missing) || !strings.Contains(err.Error(), ids[2]) {
		t.Fatalf("got %v", err)
	}
	if l := leaks(t, s); len(l) > 0 {
		t.Errorf("left: %q", l)
	}
	for _, p := range paths[1:] {
		mustImport(t, s, p)
	}
	sound(t, s)
	p, err := patch.Open(paths[3])
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := s.Activate(t.Context(), p.Description.ID, "test"); err != nil {
		t.Error(err)
	}
}
