package facts

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/patternmatcher"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

var (
	amd64    = ocispec.Platform{OS: "linux", Architecture: "amd64"}
	noMatch  = patternmatcher.MatchInfo{}
	racyTime = time.Unix(1_700_000_000, 0)
)

const sumA = "sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb" // of "a"

func digestOf(t *testing.T, w *Workspace, name string) digest.Digest {
	t.Helper()
	d, _, err := w.File(context.Background(), name)
	check(t, err)
	return d
}

// poison replaces the digests in the cache, so that a test sees who uses it.
func poison(t *testing.T, w *Workspace) {
	t.Helper()
	w.cache.mu.Lock()
	defer w.cache.mu.Unlock()
	for path, e := range w.cache.entries {
		e.digest = digest.FromString("poison")
		w.cache.entries[path] = e
	}
	w.cache.learnt = true
}

// settle lets the files become older than the racy interval.
func settle() { time.Sleep(time.Duration(racy) + 50*time.Millisecond) }

func TestCache(t *testing.T) {
	w := workspace(t, map[string]string{"a": "a"})
	if digestOf(t, w, "a") != sumA {
		t.Fatal("wrong digest")
	}
	if len(w.cache.entries) != 0 {
		t.Fatal("a file that was changed just now is cached")
	}
	check(t, w.Close())
	if _, err := os.Stat(w.cache.file()); err == nil {
		t.Fatal("an empty cache was written")
	}

	settle()
	digestOf(t, w, "a")
	poison(t, w)
	check(t, w.Close())
	again := open(t, w.dir)
	if digestOf(t, again, "a") != digest.FromString("poison") {
		t.Error("the cache is not used")
	}

	path := filepath.Join(w.dir, "a")
	info, err := os.Stat(path)
	check(t, err)
	check(t, os.WriteFile(path, []byte("b"), 0o644))
	check(t, os.Chtimes(path, info.ModTime(), info.ModTime()))
	if digestOf(t, again, "a") != digest.FromString("b") {
		t.Error("a change that kept size and mtime is not seen")
	}
}

// A file whose times lie in the future, or within the racy interval, is never
// kept.
func TestCacheRule(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		name         string
		mtime, ctime time.Duration
		kept         bool
	}{
		{"old", -3 * time.Second, -3 * time.Second, true},
		{"mtime new", -time.Second, -time.Hour, false},
		{"ctime new", -time.Hour, -time.Second, false},
		{"future", time.Hour, -time.Hour, false},
		{"long ago", -1000 * time.Hour, -1000 * time.Hour, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := loadCache(t.TempDir())
			s := stamp{mtime: now.Add(c.mtime).UnixNano(), ctime: now.Add(c.ctime).UnixNano()}
			k.put("p", s, sumA, now)
			if _, ok := k.get("p", s); ok != c.kept {
				t.Errorf("kept %v", ok)
			}
		})
	}
}

func sampleCache(dir string) *cache {
	k := loadCache(dir)
	k.put("/p/a b\n\"c\"\xff", stamp{1, 2, 3, 4, 5}, sumA, time.Now())
	k.put("/p/d", stamp{size: 6, mtime: -7}, sumA, time.Now())
	return k
}

func TestCacheFile(t *testing.T) {
	k := sampleCache(t.TempDir())
	check(t, k.save())
	l := loadCache(k.dir)
	if len(l.entries) != 2 {
		t.Fatalf("read %d entries", len(l.entries))
	}
	if d, ok := l.get("/p/a b\n\"c\"\xff", stamp{1, 2, 3, 4, 5}); !ok || d != sumA {
		t.Error("entry lost")
	}
	if _, ok := l.get("/p/d", stamp{size: 6}); ok {
		t.Error("an entry of another state is used")
	}
	left, err := os.ReadDir(k.dir)
	check(t, err)
	if len(left) != 2 { // .gitignore and digests
		t.Errorf("files left: %v", left)
	}
}

func TestCorruptCacheIsEmpty(t *testing.T) {
	good := sampleCache(t.TempDir()).encode()
	if e, ok := parseCache(good); !ok || len(e) != 2 {
		t.Fatal("the good one is refused")
	}
	for n := range good {
		if _, ok := parseCache(good[:n]); ok {
			t.Fatalf("accepted when cut at %d", n)
		}
		flipped := append([]byte(nil), good...)
		flipped[n] ^= 1
		if _, ok := parseCache(flipped); ok {
			t.Fatalf("accepted with byte %d flipped", n)
		}
	}
	other := strings.Replace(string(good), "digests 1", "digests 2", 1)
	body, _, _ := strings.Cut(other, "\nsum ")
	if _, ok := parseCache([]byte(body + "\nsum " + sumOf([]byte(body)) + "\n")); ok {
		t.Error("another version is accepted")
	}
}

func TestCacheOfSeveralProcesses(t *testing.T) {
	dir := t.TempDir()
	var g sync.WaitGroup
	for range 8 {
		g.Go(func() {
			if err := sampleCache(dir).save(); err != nil {
				t.Error(err)
			}
			if n := len(loadCache(dir).entries); n != 2 {
				t.Errorf("read %d entries", n)
			}
		})
	}
	g.Wait()
}

func TestCacheThatCannotBeWritten(t *testing.T) {
	w := workspace(t, map[string]string{".flotobuild": "in the way"})
	w.cache.learnt = true
	if err := w.Close(); err == nil || !strings.Contains(err.Error(), "cannot write digest cache") {
		t.Errorf("got %v", err)
	}
}

func FuzzParseCache(f *testing.F) {
	f.Add(sampleCache(f.TempDir()).encode())
	f.Fuzz(func(_ *testing.T, data []byte) { parseCache(data) })
}
