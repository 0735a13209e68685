package executor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/delta"
	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/patch"
)

// lines is a layer that differs from others in one line.
func lines(n int) delta.Layer {
	rnd := rand.New(rand.NewPCG(1, 1))
	var b bytes.Buffer
	for i := range 2000 {
		if i == 100*n {
			fmt.Fprintf(&b, "this is %d\n", n)
		}
		fmt.Fprintf(&b, "%x\n", rnd.Uint64())
	}
	return delta.Layer{Descriptor: delta.Descriptor{Digest: digest.FromBytes(b.Bytes()), Size: int64(b.Len())}, Content: bytes.NewReader(b.Bytes())}
}

func creating(ctx context.Context) func(io.Writer) (*delta.Info, error) {
	return func(w io.Writer) (*delta.Info, error) {
		return delta.Create(ctx, w, lines(2), []delta.Layer{lines(1)}, delta.Options{})
	}
}

// keptLayer makes and keeps the delta of a layer that is not compressed.
func keptLayer(t *testing.T, c deltaCache, key string) keptDelta {
	t.Helper()
	l := lines(2)
	k, err := c.make(key, patch.Layer{DiffID: l.Digest, Digest: l.Digest, Size: l.Size}, nil, creating(t.Context()))
	if err != nil || k.Transport == nil {
		t.Fatalf("%+v, %v", k, err)
	}
	return k
}

// All that a delta follows from changes its key.
func TestDeltaKey(t *testing.T) {
	a, b, c := digest.FromString("a"), digest.FromString("b"), digest.FromString("c")
	bases := []digest.Digest{a, b}
	seen := make(map[string]bool)
	for _, key := range []string{
		deltaKey(patch.Layer{DiffID: a, Digest: b}, bases, 1),
		deltaKey(patch.Layer{DiffID: a, Digest: b}, bases, 2),
		deltaKey(patch.Layer{DiffID: c, Digest: b}, bases, 1),
		deltaKey(patch.Layer{DiffID: a, Digest: c}, bases, 1),
		deltaKey(patch.Layer{DiffID: a, Digest: b}, []digest.Digest{b, a}, 1),
		deltaKey(patch.Layer{DiffID: a, Digest: b}, bases[:1], 1),
		deltaKey(patch.Layer{DiffID: a, Digest: b}, nil, 1),
	} {
		if seen[key] {
			t.Errorf("key %q stands for two deltas", key)
		}
		seen[key] = true
	}
	if deltaKey(patch.Layer{DiffID: a, Digest: b, Size: 1}, bases, 1) != deltaKey(patch.Layer{DiffID: a, Digest: b}, bases, 1) {
		t.Error("the key depends on what a digest stands for")
	}
}

func TestDeltaCacheFinds(t *testing.T) {
	c := deltaCache{filepath.Join(t.TempDir(), "new")}
	if _, ok := c.find("key"); ok {
		t.Error("found in no folder")
	}
	k := keptLayer(t, c, "key")
	if got, ok := c.find("key"); !ok || !reflect.DeepEqual(got.Transport, k.Transport) || got.Size != k.Size {
		t.Errorf("%v: %+v instead of %+v", ok, got, k)
	}
	if _, ok := c.find("other"); ok {
		t.Error("another key is found")
	}
	if err := c.keep("whole", keptDelta{}); err != nil {
		t.Fatal(err)
	}
	if got, ok := c.find("whole"); !ok || got.Transport != nil {
		t.Errorf("that a layer travels whole: %v, %+v", ok, got)
	}
}

// No damage gives anything else than what was kept.
func TestDeltaCacheDamaged(t *testing.T) {
	c := deltaCache{t.TempDir()}
	k := keptLayer(t, c, "key")
	for _, name := range []string{"key", "key.json"} {
		path := filepath.Join(c.dir, name)
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		bad := [][]byte{nil, good[:len(good)/2], append(bytes.Clone(good), 'x'), []byte("null"), []byte("{}"), []byte(`{"transport":{}}`)}
		for at := range good {
			b := bytes.Clone(good)
			b[at] ^= 1 << (at % 8)
			bad = append(bad, b)
		}
		for n, b := range bad {
			if err := os.WriteFile(path, b, 0o666); err != nil {
				t.Fatal(err)
			}
			if got, ok := c.find("key"); ok && !reflect.DeepEqual(got.Transport, k.Transport) {
				t.Fatalf("%s, %d: %+v", name, n, got)
			}
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if _, ok := c.find("key"); ok {
			t.Errorf("found without %s", name)
		}
		if err := os.WriteFile(path, good, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := c.find("key"); !ok {
		t.Error("what is whole again is not found")
	}
}

// A delta that is no smaller than the layer is not kept; that there is none, is.
func TestDeltaCacheLarger(t *testing.T) {
	c := deltaCache{t.TempDir()}
	l := lines(2)
	k, err := c.make("key", patch.Layer{DiffID: l.Digest, Digest: l.Digest, Size: 100}, nil, creating(t.Context()))
	if err != nil || k.Transport != nil {
		t.Errorf("%+v, %v", k, err)
	}
	if got, ok := c.find("key"); !ok || got.Transport != nil {
		t.Errorf("%v: %+v", ok, got)
	}
	holds(t, c.dir, "key.json")
}

// Nothing is left of what was not made.
func TestDeltaCacheFailure(t *testing.T) {
	c := deltaCache{t.TempDir()}
	boom := errors.New("boom")
	_, err := c.make("key", patch.Layer{Size: 1000}, nil, func(w io.Writer) (*delta.Info, error) {
		_, err := w.Write(make([]byte, 500))
		return nil, errors.Join(err, boom)
	})
	if !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
	holds(t, c.dir)
}

func TestDeltaCacheSweep(t *testing.T) {
	c := deltaCache{t.TempDir()}
	for _, key := range []string{"old", "asked", "new"} {
		keptLayer(t, c, key)
	}
	left := atomicfile.Prefix + "killed"
	if err := os.WriteFile(filepath.Join(c.dir, left), []byte("half a delta"), 0o666); err != nil {
		t.Fatal(err)
	}
	past := time.Now().Add(-deltaAge - time.Hour)
	for _, name := range []string{"old", "old.json", "asked", "asked.json"} {
		if err := os.Chtimes(filepath.Join(c.dir, name), past, past); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := c.find("asked"); !ok {
		t.Error("an old one is not found")
	}
	c.sweep()
	holds(t, c.dir, "asked", "asked.json", "new", "new.json")
	deltaCache{filepath.Join(c.dir, "none")}.sweep()
}

// holds fails where a folder has other files.
func holds(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the folder holds %q, want %q", got, want)
	}
}
