package patch

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch/crypt"
)

// shared writes d with the entries that another writer has stored.
func shared(t *testing.T, s *site, d *Description, from map[digest.Digest]Stored) *Writer {
	t.Helper()
	w, err := Create(t.TempDir(), d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Abort)
	for {
		c, more := w.Next()
		if !more {
			return w
		}
		if st, ok := from[c.Digest()]; ok {
			var counted int64
			err = w.AddStored(t.Context(), c.Path, st, func(n int64) { counted += n })
			if counted != c.Size {
				t.Errorf("%d bytes were counted for %s of %d", counted, c.Path, c.Size)
			}
		} else {
			r, _ := s.open(t.Context(), c)
			err = w.Add(t.Context(), c.Path, r)
		}
		if err != nil {
			t.Fatal(err)
		}
		if st, ok := w.Stored(); ok != strings.HasPrefix(c.Path, "images/") {
			t.Errorf("%s is stored: %v", c.Path, ok)
		} else if ok && from[c.Digest()].f == nil {
			from[c.Digest()] = st
		}
	}
}

// A second patch takes blobs from the first, which has no name yet, and is the
// same to the byte as if it had been written alone.
func TestAddStored(t *testing.T) {
	s := newSite(t)
	d := s.describe(1, []Image{s.image("control", s.layer("a", strings.Repeat("a", 1<<20)), s.layer("b", "b"))})
	alone, err := os.ReadFile(s.write(d))
	if err != nil {
		t.Fatal(err)
	}
	stored := make(map[digest.Digest]Stored)
	first := shared(t, s, d, stored)
	if len(stored) < 4 {
		t.Fatalf("%d entries are stored", len(stored))
	}
	second := shared(t, s, d, stored)
	for _, w := range []*Writer{first, second} {
		if err := w.Sync(); err != nil {
			t.Fatal(err)
		}
		if err := w.Publish(); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(w.Path()); err != nil || !bytes.Equal(got, alone) {
			t.Errorf("%s differs from the patch that was written alone: %v", w.Path(), err)
		}
	}
}

func TestAddStoredRefusesOtherContent(t *testing.T) {
	s := newSite(t)
	d := s.describe(1, []Image{s.image("control", s.layer("a", "a"))})
	stored := make(map[digest.Digest]Stored)
	shared(t, s, d, stored)
	for _, c := range d.Flotobuild.Contents {
		st, ok := stored[c.Digest()]
		if !ok {
			continue
		}
		for name, spoil := range map[string]func(*Stored){
			"digest": func(s *Stored) { s.digest = digest.FromString("other") },
			"size":   func(s *Stored) { s.size++ },
			"file":   func(s *Stored) { s.f = &sparse{} },
		} {
			bad := st
			spoil(&bad)
			if err := addNext(t, s, d, c.Path, bad); err == nil {
				t.Errorf("%s: another %s is taken", c.Path, name)
			}
		}
		return
	}
}

// addNext writes d up to the entry called name, and that from st.
func addNext(t *testing.T, s *site, d *Description, name string, st Stored) error {
	w, err := Create(t.TempDir(), d)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	for {
		c, more := w.Next()
		if !more {
			t.Fatalf("no entry %s", name)
		}
		if c.Path == name {
			return w.AddStored(t.Context(), name, st, func(int64) {})
		}
		r, _ := s.open(t.Context(), c)
		if err := w.Add(t.Context(), c.Path, r); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAddStoredEndsWithTheContext(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	addStoredCancelled(t, CreateOptions{})
	addStoredCancelled(t, CreateOptions{Recipients: []crypt.Recipient{id.Recipient()}})
}

func addStoredCancelled(t *testing.T, o CreateOptions) {
	s := newSite(t)
	d := s.describe(1, []Image{s.image("control", s.layer("a", "a"))})
	stored := make(map[digest.Digest]Stored)
	shared(t, s, d, stored)
	dir := t.TempDir()
	w, err := CreateWith(dir, d, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for {
		c, more := w.Next()
		if !more {
			t.Fatal("a cancelled copy succeeds")
		}
		if st, ok := stored[c.Digest()]; ok {
			if err := w.AddStored(ctx, c.Path, st, func(int64) {}); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			break
		}
		r, _ := s.open(t.Context(), c)
		if err := w.Add(t.Context(), c.Path, r); err != nil {
			t.Fatal(err)
		}
	}
	w.Abort()
	nothingIn(t, dir)
}
