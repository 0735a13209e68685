package site

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
)

// A crash between the journal and the change leaves no entry for what did not
// happen.
func TestNothingHappened(t *testing.T) {
	s := newSite(t)
	paths := newMaker(t).chain(2)
	id, other := mustImport(t, s, paths[0]).Record.ID, mustImport(t, s, paths[1]).Record.ID
	if err := s.Activate(t.Context(), other, "test"); err != nil {
		t.Fatal(err)
	}
	before, err := s.History()
	if err != nil {
		t.Fatal(err)
	}
	needs, err := s.readNeeds(id)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(s.path("blobs", "sha256", needs[0].Digest.Encoded())); err != nil {
		t.Fatal(err)
	}
	for _, action := range []string{ActionImport, ActionActivate, ActionRollback, ActionTrust, ActionRepair} {
		b, err := encode(Event{Time: orNow(time.Time{}).Add(time.Hour), Action: action, By: "test", Patch: id})
		if err != nil {
			t.Fatal(err)
		}
		if err := atomicfile.WriteFile(s.path(journalFile), b, 0o666); err != nil {
			t.Fatal(err)
		}
		unlock, err := s.Lock(t.Context(), "test")
		if err != nil {
			t.Fatal(err)
		}
		if err := unlock(); err != nil {
			t.Fatal(err)
		}
		after, err := s.History()
		if err != nil || !slices.Equal(after, before) {
			t.Errorf("%s: the history has %+v, %v", action, after[len(before):], err)
		}
		before = after
	}
}

// What did happen is in the history once, though the crash came before that.
func TestTrustHappened(t *testing.T) {
	s := newSite(t)
	if err := s.SetTrust(t.Context(), nil, "test"); err != nil {
		t.Fatal(err)
	}
	events, err := s.History()
	if err != nil {
		t.Fatal(err)
	}
	e := events[len(events)-1]
	if ok, err := s.happened(e); !ok || err != nil || e.Action != ActionTrust {
		t.Errorf("%+v did not happen: %v", e, err)
	}
}
