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
	out := []string{m.deltaChainOn(nil, 0)}
	for day := 1; day < n; day++ {
		out = append(out, m.deltaChainOn(header(m.t, out[day-1]), day))
	}
	return out
}

// deltaChainOn writes the patch of a day on top of a parent; nil for none.
func (m *maker) deltaChainOn(parent *patch.Header, day int) string {
	m.t.Helper()
	now := []patch.Layer{m.layer("etc/os-release", bytes.Repeat([]byte("ID=plant\n"), 2000), store.Gzip)}
	for k, c := range []store.Compression{store.Gzip, store.Zstd, store.None} {
		content := append(noise(k, 50<<10), fmt.Sprint("day ", day)...)
		now = append(now, m.layer(fmt.Sprint("app", k), append(content, noise(k+10, 20<<10)...), c))
	}
	images := []patch.Image{m.image("app", now...)}
	if parent == nil {
		return m.write(m.describe(day, images), patch.CreateOptions{})
	}
	d := m.describe(day, images, parent)
	old := parent.Description.Flotobuild.Images[0].Manifests[0].Layers
	for k, l := range now[1:] {
		layerstest.AsDelta(m.t, d, m.blobs, l, old[0], old[1+k], old[1+(k+1)%3])
	}
	return m.write(d, patch.CreateOptions{})
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
