package delta

import (
	"bytes"
	"context"
	"io"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
)

// A vast layer has chunks that are made when they are read, of a few kinds of
// noise and with their numbers. In the next release one in sixteen is new, and
// another one changed.
type vast struct {
	size  int64
	noise []byte
	next  bool
}

const (
	vastChunk = 1 << 16
	vastKinds = 61
)

func (v vast) ReadAt(p []byte, off int64) (n int, err error) {
	for len(p) > n && off < v.size {
		m := v.chunk(p[n:], off/vastChunk, off%vastChunk)
		m = int(min(int64(m), v.size-off))
		n, off = n+m, off+int64(m)
	}
	if n < len(p) {
		err = io.EOF
	}
	return n, err
}

// chunk fills p with what stands in a chunk from a byte on.
func (v vast) chunk(p []byte, number, from int64) int {
	at := number % vastKinds * vastChunk
	if v.next && number%16 == 9 {
		at += 777
	}
	n := copy(p, v.noise[at+from:at+vastChunk])
	for i, c := range []byte{byte(number), byte(number >> 8), byte(number >> 16)} {
		if k := int64(i) - from; k >= 0 && k < int64(n) {
			p[k] = c
		}
	}
	if k := 100 - from; v.next && number%16 == 3 && k >= 0 && k < int64(n) {
		p[k]++
	}
	return n
}

func (v vast) layer(t testing.TB) Layer {
	t.Helper()
	d, err := digest.FromReader(io.NewSectionReader(v, 0, v.size))
	if err != nil {
		t.Fatal(err)
	}
	return Layer{Descriptor{d, v.size}, v}
}

// peak runs f and gives the most memory that the program's heap had meanwhile.
func peak(f func()) uint64 {
	runtime.GC()
	var most atomic.Uint64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		for {
			metrics.Read(s)
			most.Store(max(most.Load(), s[0].Value.Uint64()))
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	f()
	close(stop)
	<-stopped
	return most.Load()
}

// TestMemoryIsFlat takes a large layer, that is one file, through a delta.
// FLOTOBUILD_TEST_LAYER says how many MB it has.
func TestMemoryIsFlat(t *testing.T) {
	size := int64(300)
	if n, err := strconv.ParseInt(os.Getenv("FLOTOBUILD_TEST_LAYER"), 10, 64); err == nil {
		size = n
	} else if testing.Short() {
		t.Skip("takes seconds")
	}
	v := vast{size: size * 1e6, noise: random(7, (vastKinds+1)*vastChunk)}
	base := v.layer(t)
	v.next = true
	target := v.layer(t)
	for _, memory := range []int64{DefaultMemory, 192 << 20} {
		var d bytes.Buffer
		most := peak(func() {
			if _, err := Create(context.Background(), &d, target, []Layer{base}, Options{Memory: memory}); err != nil {
				t.Fatal(err)
			}
		})
		t.Logf("%d MB with %d MiB: created in %d MiB, %d bytes", size, memory>>20, most>>20, d.Len())
		if most > uint64(memory) {
			t.Errorf("with %d MiB creating took %d MiB", memory>>20, most>>20)
		}
		most = peak(func() {
			if _, err := Apply(context.Background(), &d, basesOf(base), io.Discard, ApplyOptions{Trust: true}); err != nil {
				t.Fatal(err)
			}
		})
		t.Logf("applied in %d MiB", most>>20)
		if most > applyMemory {
			t.Errorf("applying took %d MiB", most>>20)
		}
	}
}
