package site

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/store"
)

// words gives bytes that compress to about half.
func words(seed uint64, n int) []byte {
	b := make([]byte, n)
	src := rand.NewChaCha8([32]byte{byte(seed), 1})
	src.Read(b)
	for i := range b {
		b[i] &= 0x0f
	}
	return b
}

// big writes an initial patch with four layers of n bytes each.
func (m *maker) big(n int, c store.Compression) string {
	m.t.Helper()
	var layers []patch.Layer
	for i := range 4 {
		layers = append(layers, m.layer(fmt.Sprint(i), words(uint64(i), n), c))
	}
	return m.write(m.describe(0, []patch.Image{m.image("a", layers...)}), patch.CreateOptions{})
}

// BenchmarkImport stands beside what the usual programs need to hash and to copy
// the same file, which is in the page cache. With TMPDIR on a tmpfs it shows what
// the disk has to do with it.
func BenchmarkImport(b *testing.B) {
	for _, c := range []store.Compression{store.None, store.Zstd, store.Gzip} {
		path := newMaker(b).big(32<<20, c)
		st, err := os.Stat(path)
		if err != nil {
			b.Fatal(err)
		}
		for _, o := range []struct {
			name string
			do   func(b *testing.B)
		}{
			{"import", func(b *testing.B) { mustImport(b, newSite(b), path) }},
			{"sha256", func(b *testing.B) { transfer(b, sha256.New(), path) }},
			{"sha256sum", func(b *testing.B) { program(b, "sha256sum", path) }},
			{"cp", func(b *testing.B) { program(b, "cp", path, filepath.Join(b.TempDir(), "copy")) }},
			{"cp-fsync", func(b *testing.B) {
				to := filepath.Join(b.TempDir(), "copy")
				program(b, "cp", path, to)
				program(b, "sync", to) // as an import does
			}},
		} {
			b.Run(o.name+"/"+string(c), func(b *testing.B) {
				b.SetBytes(st.Size())
				begun := cpuTime(b)
				for b.Loop() {
					o.do(b)
				}
				b.ReportMetric(float64((cpuTime(b)-begun).Milliseconds())/float64(b.N), "cpu-ms/op")
			})
		}
	}
}

// program runs one of coreutils.
func program(b *testing.B, name string, args ...string) {
	b.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		b.Fatalf("%s: %v: %s", name, err, out)
	}
}

// cpuTime is what the process and the programs that it has run have used of the
// processors; it tells more than the clock where others use them, too.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var sum time.Duration
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var u unix.Rusage
		if err := unix.Getrusage(who, &u); err != nil {
			b.Fatal(err)
		}
		sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return sum
}

func transfer(b *testing.B, w io.Writer, path string) {
	b.Helper()
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if _, err := io.CopyBuffer(w, struct{ io.Reader }{f}, make([]byte, 256<<10)); err != nil {
		b.Fatal(err)
	}
}

// fleet makes a site with many patches of 60 images, each of which changes one
// image.
func fleet(b *testing.B, patches int) (*Site, string) {
	b.Helper()
	m, s := newMaker(b), newSite(b)
	var base []patch.Layer
	for n := range 6 {
		base = append(base, m.layer(fmt.Sprint(n), noise(n, 200), store.None))
	}
	var images []patch.Image
	for n := range 60 {
		images = append(images, m.image(fmt.Sprintf("image-%02d", n), append(base[:6:6], m.layer("own", noise(n, 100), store.None))...))
	}
	var last string
	var parents []*patch.Header
	for day := range patches {
		n := day % 60
		images[n] = m.image(images[n].Name, append(base[:6:6], m.layer("own", noise(1000+day, 100), store.None))...)
		last = m.write(m.describe(day, images, parents...), patch.CreateOptions{})
		parents = []*patch.Header{header(b, last)}
		begun := time.Now()
		if mustImport(b, s, last); day == patches-1 {
			b.Logf("import number %d: %v", patches, time.Since(begun))
		}
	}
	return s, last
}

// BenchmarkFleet measures what is done often on a store of 200 patches.
func BenchmarkFleet(b *testing.B) {
	s, last := fleet(b, 200)
	b.Run("list", func(b *testing.B) {
		for b.Loop() {
			if all, err := s.List(b.Context()); err != nil || len(all) != 200 {
				b.Fatal(len(all), err)
			}
		}
	})
	b.Run("known", func(b *testing.B) {
		for b.Loop() {
			if i := mustImport(b, s, last); !i.Known {
				b.Fatal("it is not known")
			}
		}
	})
	b.Run("status", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Status(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("gc-nothing", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.GC(b.Context(), GCOptions{Keep: 200}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("gc-199", func(b *testing.B) {
		begun := cpuTime(b)
		for b.Loop() {
			b.StopTimer()
			before := cpuTime(b)
			old := duplicate(b, s)
			begun += cpuTime(b) - before
			b.StartTimer()
			if c, err := old.GC(b.Context(), GCOptions{Keep: 1}); err != nil || len(c.Patches) != 199 {
				b.Fatal(c, err)
			}
		}
		b.ReportMetric(float64((cpuTime(b)-begun).Milliseconds())/float64(b.N), "cpu-ms/op")
	})
}

// duplicate copies a site, and waits until the copy is on the disk.
func duplicate(b *testing.B, s *Site) *Site {
	b.Helper()
	dir := filepath.Join(b.TempDir(), "site")
	if err := os.CopyFS(dir, os.DirFS(s.Dir())); err != nil {
		b.Fatal(err)
	}
	unix.Sync()
	out, err := Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	return out
}

// TestImportMemory imports patches of two sizes: memory does not grow with them.
func TestImportMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("it writes 200 MB")
	}
	var peaks []uint64
	for _, n := range []int{4 << 20, 32 << 20} {
		path := newMaker(t).big(n, store.Zstd)
		runtime.GC()
		var before, now runtime.MemStats
		runtime.ReadMemStats(&before)
		var peak uint64
		var last time.Time
		_, err := newSite(t).Import(t.Context(), Source{Path: path}, ImportOptions{Progress: func(Progress) {
			if time.Since(last) > 5*time.Millisecond {
				last = time.Now()
				runtime.ReadMemStats(&now)
				peak = max(peak, now.HeapAlloc)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		peaks = append(peaks, peak-min(before.HeapAlloc, peak))
	}
	if most := peaks[0]*2 + 16<<20; peaks[1] > most {
		t.Errorf("a large patch took %d bytes of heap, and a small one %d", peaks[1], peaks[0])
	}
	t.Logf("heap beyond the start: %d and %d bytes", peaks[0], peaks[1])
}
