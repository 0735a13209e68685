package site

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// runs fails unless the patch is active with an address.
func runs(t *testing.T, s *Site, id, plc string) {
	t.Helper()
	ref, err := s.ActiveRef()
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.ReleaseOf(ref)
	if err != nil || ref.Patch != id || r.Manifest.Hosts[0].Address != plc {
		t.Errorf("%v runs %+v, %v; want %q of %s", ref, r, err, plc, id)
	}
}

// TestRollbackOfValues goes through activations of one patch with several values,
// and back through all of them, to the patch before.
func TestRollbackOfValues(t *testing.T) {
	s, ids := chainWithVariables(t, 2)
	setVars(t, s, "pin", "geheim-1", "plc", "0")
	activate := func(id string) {
		t.Helper()
		must(t, s.Activate(t.Context(), id, "test"))
	}
	activate(ids[0])
	for _, plc := range []string{"1", "2", "3"} {
		setVars(t, s, "plc", plc)
		activate(ids[1])
		runs(t, s, ids[1], plc)
	}
	if st, err := s.Status(t.Context()); err != nil || !st.ValuesBefore || st.Previous != ids[0] {
		t.Errorf("status %+v, %v", st, err)
	}
	for _, want := range []struct{ id, plc string }{{ids[1], "2"}, {ids[1], "1"}, {ids[0], "0"}} {
		if id, err := s.Rollback(t.Context(), "", "test"); err != nil || id != want.id {
			t.Fatalf("back to %q: %v", id, err)
		}
		runs(t, s, want.id, want.plc)
		if values, err := s.Vars(); err != nil || values["plc"] != "3" {
			t.Errorf("a rollback sets values: %q, %v", values, err)
		}
	}
	if changed, err := s.VarsChanged(); err != nil || !changed {
		t.Errorf("nobody says that other values are set: %v", err)
	}
	if _, err := s.Rollback(t.Context(), "", "test"); err == nil {
		t.Error("back to nothing")
	}
	if _, err := s.Rollback(t.Context(), ids[0], "test"); err == nil || !strings.Contains(err.Error(), "was not with other values before") {
		t.Errorf("back to itself: %v", err)
	}
	activate(ids[0])
	runs(t, s, ids[0], "3")
	events, err := s.History()
	if err != nil {
		t.Fatal(err)
	}
	if n := slices.IndexFunc(events, func(e Event) bool { return e.Action == ActionRollback }); events[n].Detail != "with the values of then" || events[n].From != "" {
		t.Errorf("event %+v", events[n])
	}
	if l := leaks(t, s); len(l) > 0 {
		t.Errorf("left: %q", l)
	}
}

// TestRollbackSkipsValues: a patch that is named is meant with the values that it
// had last, and another one is found behind values of the active patch.
func TestRollbackSkipsValues(t *testing.T) {
	s, ids := chainWithVariables(t, 2)
	setVars(t, s, "pin", "geheim-1", "plc", "0")
	for n, id := range []string{ids[0], ids[1], ids[1]} {
		setVars(t, s, "plc", fmt.Sprint(n))
		must(t, s.Activate(t.Context(), id, "test"))
	}
	if id, ok, err := s.Previous(); err != nil || !ok || id != ids[0] {
		t.Errorf("before is %q, %v", id, err)
	}
	if c, err := s.GC(t.Context(), GCOptions{}); err != nil || len(c.Patches) != 0 {
		t.Errorf("the patch before is collected: %+v, %v", c, err)
	}
	if _, err := s.Rollback(t.Context(), ids[0], "test"); err != nil {
		t.Fatal(err)
	}
	runs(t, s, ids[0], "0")
}

// TestReturn goes to what hosts run, wherever it is in the order of activations.
func TestReturn(t *testing.T) {
	s, ids := chainWithVariables(t, 2)
	setVars(t, s, "pin", "geheim-1", "plc", "0")
	var refs []Ref
	for n, id := range []string{ids[0], ids[1], ids[1]} {
		setVars(t, s, "plc", fmt.Sprint(n))
		must(t, s.Activate(t.Context(), id, "test"))
		ref, err := s.ActiveRef()
		must(t, err)
		refs = append(refs, ref)
	}
	setVars(t, s, "plc", "none") // fits no patch
	for _, n := range []int{0, 2, 1, 1, 0} {
		must(t, s.Return(t.Context(), refs[n], "test"))
		runs(t, s, refs[n].Patch, fmt.Sprint(n))
	}
	values := (*VarsError)(nil)
	must(t, os.RemoveAll(s.path(compiledDir, refs[1].Values)))
	if err := s.Return(t.Context(), refs[1], "test"); !errors.As(err, &values) {
		t.Errorf("what was lost comes back with values that do not fit: %v", err)
	}
	runs(t, s, ids[0], "0")
	setVars(t, s, "plc", "5")
	must(t, s.Return(t.Context(), refs[1], "test"))
	runs(t, s, ids[1], "5")
}

// TestSameValues: an activation with values that a compilation has takes that.
func TestSameValues(t *testing.T) {
	s, ids := chainWithVariables(t, 2)
	setVars(t, s, "pin", "geheim-1", "plc", "0")
	must(t, s.Activate(t.Context(), ids[0], "test"))
	first, err := s.ActiveRef()
	must(t, err)
	must(t, s.Activate(t.Context(), ids[1], "test"))
	must(t, s.Activate(t.Context(), ids[0], "test"))
	if again, err := s.ActiveRef(); err != nil || again != first {
		t.Errorf("%v after %v, %v", again, first, err)
	}
}

// TestKeptBounded: what was compiled does not grow without end.
func TestKeptBounded(t *testing.T) {
	s, ids := chainWithVariables(t, 1)
	setVars(t, s, "pin", "geheim-1")
	for n := range maxPrevious + maxKept + 10 {
		setVars(t, s, "plc", fmt.Sprint(n))
		must(t, s.Activate(t.Context(), ids[0], "test"))
	}
	if got := len(compiledFolders(t, s)); got != 1+maxPrevious+maxKept {
		t.Errorf("%d compilations", got)
	}
}

// TestFirstActive reads the file of stores that were made before it had values.
func TestFirstActive(t *testing.T) {
	s, ids := chainWithVariables(t, 2)
	setVars(t, s, "pin", "geheim-1", "plc", "0")
	must(t, s.Activate(t.Context(), ids[0], "test"))
	must(t, s.Activate(t.Context(), ids[1], "test"))
	a, err := s.readActive()
	must(t, err)
	old := fmt.Sprintf(`{"formatVersion":1,"id":%q,"descriptionDigest":%q,"since":"2026-03-01T00:00:00Z","by":"ada","previous":[%q],"compiled":{%q:%q,%q:%q}}`,
		ids[1], a.DescriptionDigest, ids[0], ids[0], a.Previous[0].Values, ids[1], a.Values)
	must(t, os.WriteFile(s.path(activeFile), []byte(old), 0o644))
	runs(t, s, ids[1], "0")
	setVars(t, s, "plc", "1")
	if _, err := s.Rollback(t.Context(), "", "test"); err != nil {
		t.Fatal(err)
	}
	runs(t, s, ids[0], "0")
	for _, text := range []string{"{", `{"formatVersion":3}`, `{"formatVersion":1,"previous":3}`, `{"formatVersion":2,"previous":["x"]}`} {
		must(t, os.WriteFile(s.path(activeFile), []byte(text), 0o644))
		if _, _, err := s.Active(); err == nil {
			t.Errorf("%s is read", text)
		}
	}
}
