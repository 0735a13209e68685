package patch

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeSigned writes a patch with the signature entry that sign gives.
func (s *site) writeSigned(dir string, d *Description, sign SignFunc) string {
	s.t.Helper()
	w, err := CreateWith(dir, d, CreateOptions{Sign: sign})
	if err != nil {
		s.t.Fatal(err)
	}
	defer w.Abort()
	if err := w.AddAll(s.t.Context(), s.open); err != nil {
		s.t.Fatal(err)
	}
	if err := w.Publish(); err != nil {
		s.t.Fatal(err)
	}
	return w.Path()
}

// line is a SignFunc that adds a line.
func line(text string) SignFunc {
	return func(_, entry []byte) ([]byte, error) { return append(entry, text+"\n"...), nil }
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Signing a file afterwards gives the bytes that signing while writing gives.
func TestAddSignature(t *testing.T) {
	s := newSite(t)
	d := s.describe(1, []Image{s.image("control", s.layer("a", strings.Repeat("layer ", 1000)))})
	one := s.writeSigned(t.TempDir(), d, line("first"))
	two := s.writeSigned(t.TempDir(), d, func(_, _ []byte) ([]byte, error) { return []byte("first\nsecond\n"), nil })
	path := s.write(d)
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for n, want := range []string{one, two} {
		changed, err := AddSignature(t.Context(), link, func(raw, entry []byte) ([]byte, error) {
			if b, _ := Encode(d); !bytes.Equal(raw, b) {
				t.Error("signs something else than the description")
			}
			return append(entry, []string{"first\n", "second\n"}[n]...), nil
		})
		if err != nil || !changed {
			t.Fatal(changed, err)
		}
		if !bytes.Equal(mustRead(t, path), mustRead(t, want)) {
			t.Errorf("signature %d: the file differs from one signed at once", n+1)
		}
	}
	r := mustOpen(t, path)
	if entry, err := r.Signature(); err != nil || string(entry) != "first\nsecond\n" {
		t.Errorf("%q, %v", entry, err)
	}
	if _, err := Verify(t.Context(), r, VerifyOptions{}); err != nil {
		t.Error(err)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v", info.Mode())
	}
	if info, _ := os.Lstat(link); info.Mode()&os.ModeSymlink == 0 {
		t.Error("the link became a file")
	}
}

func TestAddSignatureFails(t *testing.T) {
	s := newSite(t)
	path := s.initial()
	before := mustRead(t, path)
	unchanged := func(what string) {
		t.Helper()
		entries, _ := os.ReadDir(s.dir)
		if !bytes.Equal(mustRead(t, path), before) || len(entries) != 1 {
			t.Errorf("%s: file changed or something left: %v", what, entries)
		}
	}
	if changed, err := AddSignature(t.Context(), path, func(_, e []byte) ([]byte, error) { return e, nil }); changed || err != nil {
		t.Errorf("nothing new: %v, %v", changed, err)
	}
	unchanged("nothing new")
	wrong := errors.New("no key")
	if _, err := AddSignature(t.Context(), path, func(_, _ []byte) ([]byte, error) { return nil, wrong }); !errors.Is(err, wrong) {
		t.Errorf("got %v", err)
	}
	unchanged("no key")
	if _, err := AddSignature(cancelled(t), path, line("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	unchanged("cancelled")
	f, _, err := lockFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := AddSignature(t.Context(), path, line("x")); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("locked: %v", err)
	}
	f.Close()
	unchanged("locked")
}

// What is damaged outside the entries' content is not signed over: the copy
// would hide it.
func TestAddSignatureToDamaged(t *testing.T) {
	s := newSite(t)
	path := s.initial()
	good := mustRead(t, path)
	last := bytes.LastIndex(good, []byte("PK\x03\x04"))
	for _, off := range []int{4, last + 10, len(good) - 30, len(good) - 3} {
		b := bytes.Clone(good)
		b[off] ^= 1
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := AddSignature(t.Context(), path, line("x")); err == nil {
			t.Errorf("a file damaged at %d was signed", off)
		}
		if !bytes.Equal(mustRead(t, path), b) {
			t.Errorf("a file damaged at %d was changed", off)
		}
	}
}

func TestCreateSignedFails(t *testing.T) {
	s := newSite(t)
	wrong := errors.New("no key")
	d := s.describe(1, []Image{s.image("control", s.layer("a", "a"))})
	if _, err := CreateWith(s.dir, d, CreateOptions{Sign: func(_, _ []byte) ([]byte, error) { return nil, wrong }}); !errors.Is(err, wrong) {
		t.Errorf("got %v", err)
	}
	nothingIn(t, s.dir)
}
