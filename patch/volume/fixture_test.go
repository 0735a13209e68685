package volume

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// content gives size bytes that no code guesses.
func content(size int) []byte {
	b := make([]byte, size)
	rand.NewChaCha8([32]byte{byte(size)}).Read(b)
	return b
}

// splitLayout splits b into volumes of a new folder and returns their paths.
func splitLayout(t testing.TB, b []byte, l *Layout) []string {
	t.Helper()
	s, err := Split(t.Context(), bytes.NewReader(b), l, t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Publish(); err != nil {
		t.Fatal(err)
	}
	return s.Paths()
}

// exactly splits b into data volumes of one size, the last one shorter.
func exactly(t testing.TB, b []byte, data, parity int) []string {
	t.Helper()
	l := &Layout{Name: "a.zip", Size: int64(len(b)), Payload: int64((len(b) + data - 1) / data), Data: data, Parity: parity}
	return splitLayout(t, b, l)
}

// join joins the volumes in dir and compares the file with want; nil wants an
// error, which it returns, and no file.
func join(t testing.TB, dir string, want []byte) (*Report, error) {
	t.Helper()
	s, err := Find([]string{dir}, nil)
	if err != nil {
		if want != nil {
			t.Fatal(err)
		}
		return nil, err
	}
	out := filepath.Join(t.TempDir(), "out")
	r, err := Join(t.Context(), s, out, Options{})
	got, rerr := os.ReadFile(out)
	switch {
	case want == nil && (err == nil || rerr == nil):
		t.Fatalf("joined: %v, %v", err, rerr)
	case want != nil && (err != nil || !bytes.Equal(got, want)):
		t.Fatalf("not joined: %v, equal: %v", err, bytes.Equal(got, want))
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(out), ".*")); len(left) > 0 {
		t.Fatalf("left behind: %q", left)
	}
	return r, err
}

// save keeps the bytes of files and gives a function that brings them back.
func save(t testing.TB, paths []string) func() {
	t.Helper()
	kept := make(map[string][]byte)
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		kept[p] = b
	}
	return func() {
		for p, b := range kept {
			if err := os.WriteFile(p, b, 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A harm is a way to lose a volume.
type harm struct {
	name string
	do   func(path string) error
}

var harms = []harm{
	{"remove", os.Remove},
	{"flip", func(path string) error { return change(path, func(b []byte) []byte { b[0] ^= 1; return b }) }},
	{"truncate", func(path string) error { return change(path, func(b []byte) []byte { return b[:len(b)/3] }) }},
	{"empty", func(path string) error { return change(path, func([]byte) []byte { return nil }) }},
}

func change(path string, f func([]byte) []byte) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, f(b), 0o666)
}
