package volume

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFindRefusesStrangers(t *testing.T) {
	a, b := exactly(t, content(900), 3, 1), exactly(t, content(901), 3, 1)
	if _, err := Find([]string{a[0], b[1]}, nil); err == nil || !strings.Contains(err.Error(), a[0]) || !strings.Contains(err.Error(), b[1]) {
		t.Errorf("volumes of two sets: %v", err)
	}
	// Those that only stand beside are left alone, also under a name of ours.
	os.Rename(b[1], filepath.Join(filepath.Dir(a[0]), "a.zip.007"))
	os.Remove(a[1])
	os.Rename(b[2], a[1])
	s, err := Find([]string{a[0]}, nil)
	if err != nil || len(s.Missing()) != 1 || s.Missing()[0] != "a.zip.002" {
		t.Errorf("%v, %v", s, err)
	}
	if _, err := Find([]string{filepath.Dir(a[0])}, nil); err == nil {
		t.Error("a folder with two sets was taken for one")
	}
	plain := filepath.Join(t.TempDir(), "plain")
	os.WriteFile(plain, content(500), 0o666)
	if _, err := Find([]string{plain}, nil); !errors.Is(err, errNoVolume) {
		t.Errorf("a plain file: %v", err)
	}
	if _, err := Find([]string{filepath.Dir(plain)}, nil); !errors.Is(err, ErrNone) {
		t.Errorf("a folder without volumes: %v", err)
	}
	if _, err := Find([]string{plain + ".001"}, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	os.WriteFile(plain+".002", nil, 0o666)
	if _, err := Find([]string{plain + ".002"}, nil); err == nil || !strings.Contains(err.Error(), "no volume beside it") {
		t.Errorf("the damaged volume of nothing: %v", err)
	}
}

// A damaged volume that was named is of the set beside it, by its name.
func TestFindByName(t *testing.T) {
	b := content(900)
	paths := exactly(t, b, 3, 1)
	os.WriteFile(paths[2], []byte("x"), 0o666)
	s, err := Find(paths[2:3], nil)
	if err != nil || len(s.Files[2]) != 1 || s.Files[2][0].Err == nil {
		t.Fatalf("%+v, %v", s, err)
	}
	// An intact copy comes before it, whatever it is called and wherever it is.
	other := exactly(t, b, 3, 1)
	os.Rename(other[2], filepath.Join(filepath.Dir(other[2]), "copy"))
	s, err = Find(paths[:1], []string{filepath.Dir(other[2])})
	if err != nil || len(s.Files[2]) != 2 || s.Files[2][0].Err != nil || len(s.Files[0]) != 2 {
		t.Errorf("%+v, %v", s, err)
	}
}

// The reader gives the same bytes as the file, with every volume that parity
// makes up for missing, and an error that names the volume beyond.
func TestReader(t *testing.T) {
	b := content(300_000)
	paths := exactly(t, b, 4, 2)
	r := rand.New(rand.NewPCG(5, 6))
	for _, gone := range [][]int{nil, {0}, {3}, {0, 3}, {1, 4}, {1, 2}} {
		restore := save(t, paths)
		for _, n := range gone {
			os.Remove(paths[n])
		}
		v, err := Open(filepath.Dir(paths[0]))
		if err != nil || v.Err() != nil || len(v.Lost()) != len(gone) || v.Size() != int64(len(b)) {
			t.Fatalf("%v: %v, %v", gone, err, v)
		}
		for range 300 {
			off := r.IntN(len(b) + 10)
			p := make([]byte, r.IntN(100_000))
			n, err := v.ReadAt(p, int64(off))
			want := b[min(off, len(b)):min(off+len(p), len(b))]
			if !bytes.Equal(p[:n], want) || (err != nil) != (n < len(p)) || err != nil && !errors.Is(err, io.EOF) {
				t.Fatalf("%v: %d bytes at %d: %d, %v", gone, len(p), off, n, err)
			}
		}
		v.Close()
		restore()
	}
	for _, n := range []int{1, 4, 5} {
		os.Remove(paths[n])
	}
	v, err := Open(paths[2])
	if err != nil || v.Err() == nil {
		t.Fatalf("%v, %v", v, err)
	}
	defer v.Close()
	p := make([]byte, 75_000)
	if n, err := v.ReadAt(p, 0); err != nil || !bytes.Equal(p, b[:n]) {
		t.Errorf("what is there is not read: %v", err)
	}
	if n, err := v.ReadAt(p, 74_000); n != 1000 || err == nil || !strings.Contains(err.Error(), "a.zip.002") {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := v.ReadAt(p, -1); err == nil {
		t.Error("read before the beginning")
	}
}

// A split that ends early leaves nothing, and one that meets other files leaves
// them.
func TestSplitLeavesNothing(t *testing.T) {
	b := content(5000)
	l, err := NewLayout("a", 5000, 3000, 1)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	empty := func(what string, want int) {
		t.Helper()
		if left, _ := os.ReadDir(dir); len(left) != want {
			t.Errorf("%s left %v", what, left)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Split(ctx, bytes.NewReader(b), l, dir, Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	empty("an interrupt", 0)
	if _, err := Split(t.Context(), bytes.NewReader(b[:4000]), l, dir, Options{}); err == nil || !strings.Contains(err.Error(), "shorter") {
		t.Error(err)
	}
	empty("a file that became shorter", 0)
	if _, err := Split(t.Context(), bytes.NewReader(b), l, filepath.Join(dir, "none"), Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	s, err := Split(t.Context(), bytes.NewReader(b), l, dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	// Another file takes a name while the volumes are written.
	mine := filepath.Join(dir, l.FileName(1))
	os.WriteFile(mine, []byte("mine"), 0o666)
	if err := s.Publish(); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	empty("a name that is taken", 1)
	if got, _ := os.ReadFile(mine); string(got) != "mine" {
		t.Error("a file was replaced")
	}
}

// Joining ends without a file where the index contradicts its own volumes.
func TestJoinOfLyingIndex(t *testing.T) {
	l := &Layout{"a", 8, 4, 2, 0}
	x := newIndex(l)
	parts := []string{"abcd", "efgh"}
	dir := t.TempDir()
	for n, p := range parts {
		x.Digests[n], _ = digestOf(t.Context(), strings.NewReader(p), 4, io.Discard)
	}
	for n, p := range parts {
		os.WriteFile(filepath.Join(dir, l.FileName(n)), append([]byte(p), x.appendTrailer(x.encode(), n)...), 0o666)
	}
	if _, err := join(t, dir, nil); err == nil || !strings.Contains(err.Error(), "contradicts itself") {
		t.Error(err)
	}
}
