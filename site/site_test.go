package site

import (
	"os"
	"testing"
	"time"

	"github.com/flotobuild/flotobuild/patch"
)

func TestStory(t *testing.T) {
	m := newMaker(t)
	paths := m.chain(3)
	s := newSite(t)
	var ids []string
	for _, p := range paths {
		i := mustImport(t, s, p)
		if i.Known || i.Repaired || i.Resumed != 0 || i.Record.Added == 0 {
			t.Errorf("import of a new patch: %+v", i)
		}
		ids = append(ids, i.Record.ID)
	}
	if i := mustImport(t, s, paths[1]); !i.Known {
		t.Error("a second import did not find the patch known")
	}
	sound(t, s)
	if l := leaks(t, s); len(l) > 0 {
		t.Errorf("imports left %q", l)
	}
	if _, err := s.Receipt(time.Time{}); err == nil {
		t.Error("a site without an active patch gives a receipt")
	}
	for _, id := range ids {
		if err := s.Activate(t.Context(), id, "test"); err != nil {
			t.Fatal(err)
		}
	}
	if back, err := s.Rollback(t.Context(), "", "test"); err != nil || back != ids[1] {
		t.Fatalf("rolled back to %q: %v", back, err)
	}
	receipt, err := s.Receipt(time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := patch.EncodeReceipt(receipt)
	if err != nil {
		t.Fatal(err)
	}
	if r, _, err := patch.DecodeReceipt(b); err != nil || r.Active.ID != ids[1] || len(r.Images) != 4 {
		t.Errorf("receipt: %+v, %v", r, err)
	}
	used := func() ([]string, error) { return []string{ids[2], "gone"}, nil }
	if c, err := s.GC(t.Context(), GCOptions{InUse: used}); err != nil || len(c.Patches) != 0 {
		t.Errorf("collected %+v, which is in use: %v", c, err)
	}
	c, err := s.GC(t.Context(), GCOptions{})
	if err != nil || len(c.Patches) != 1 || c.Patches[0] != ids[2] {
		t.Errorf("collected %+v: %v", c, err)
	}
	sound(t, s)
	if l := leaks(t, s); len(l) > 0 {
		t.Errorf("gc left %q", l)
	}
	history, err := s.History()
	if err != nil || len(history) != 1+3+3+1+1 {
		t.Errorf("history: %+v, %v", history, err)
	}
}

func TestImportStream(t *testing.T) {
	m := newMaker(t)
	paths := m.chain(2)
	s := newSite(t)
	for _, p := range paths {
		f, err := os.Open(p)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		i, err := s.Import(t.Context(), Source{Reader: f, Name: "-"}, ImportOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if st, err := f.Stat(); err != nil || i.Record.Size != st.Size() {
			t.Errorf("size %d of %d bytes: %v", i.Record.Size, st.Size(), err)
		}
	}
	sound(t, s)
}
