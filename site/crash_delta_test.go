package site

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/layers/layerstest"
	"github.com/flotobuild/flotobuild/store"
)

// deltaChain is chain with layers that travel as deltas: of each kind of
// compression one, all against several layers of the patch before.
func (m *maker) deltaChain(n int) []string {
	m.t.Helper()
	base := m.layer("etc/os-release", bytes.Repeat([]byte("ID=plant\n"), 2000), store.Gzip)
	var out []string
	var parents []*patch.Header
	var last []patch.Layer
	for day := range n {
		var now []patch.Layer
		for k, c := range []store.Compression{store.Gzip, store.Zstd, store.None} {
			content := append(noise(k, 50<<10), fmt.Sprint("day ", day)...)
			now = append(now, m.layer(fmt.Sprint("app", k), append(content, noise(k+10, 20<<10)...), c))
		}
		d := m.describe(day, []patch.Image{m.image("app", append([]patch.Layer{base}, now...)...)}, parents...)
		for k, l := range now {
			if day > 0 {
				layerstest.AsDelta(m.t, d, m.blobs, l, base, last[k], last[(k+1)%len(last)])
			}
		}
		path := m.write(d, patch.CreateOptions{})
		out, parents, last = append(out, path), []*patch.Header{header(m.t, path)}, now
	}
	return out
}

// TestKilledDelta is TestKilled for patches with deltas.
func TestKilledDelta(t *testing.T) {
	m := newMaker(t).withVariables()
	c, seed := newSceneOf(t, m.deltaChain(4)), newSeed(t)
	for n, operation := range []string{"import", "gc"} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			c.kill(t, operation, rand.New(rand.NewPCG(seed, uint64(n))))
		})
	}
}

// TestFaultsDelta is TestFaults for patches with deltas.
func TestFaultsDelta(t *testing.T) {
	needStrace(t)
	m := newMaker(t).withVariables()
	c, seed := newSceneOf(t, m.deltaChain(4)), newSeed(t)
	for n, operation := range []string{"import", "gc"} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			c.fail(t, operation, rand.New(rand.NewPCG(seed, uint64(n))))
		})
	}
}
