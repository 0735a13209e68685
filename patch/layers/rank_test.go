package layers

import (
	"fmt"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
)

// A chain of patches with three deltas each, every one against all three layers
// before: as many ways down as 3 to the power of its length.
func TestLongChain(t *testing.T) {
	const length = 200
	layer := func(n, i int) digest.Digest { return digest.FromString(fmt.Sprint(n, i)) }
	s := New(t.TempDir())
	for n := range length {
		for i := range 3 {
			l := patch.Layer{DiffID: layer(n, i), Digest: layer(n, i)}
			if n == 0 && i < 2 {
				s.Hold(nil, l)
				continue
			}
			tr := &patch.LayerTransport{DiffID: l.DiffID, Kind: patch.TransportDelta, Delta: &patch.LayerDelta{Blob: l.Digest}}
			for j := range 3 {
				if n > 0 {
					tr.Bases = append(tr.Bases, layer(n-1, j))
				}
			}
			s.places[l.DiffID] = append(s.places[l.DiffID], place{layer: l, delta: tr})
		}
	}
	if !s.Has(layer(length-1, 1)) {
		t.Error("the last layer cannot be made")
	}
	delete(s.places, layer(0, 1))
	s.ranks = nil
	if s.Has(layer(length-1, 1)) || !s.Has(layer(0, 2)) {
		t.Error("a layer can be made of a chain without its begin")
	}
	if _, _, err := s.Tar(t.Context(), layer(length-1, 1)); err == nil {
		t.Error("it is made")
	}
}

// A patch may be hostile: a hundred thousand layers, each of which builds on the
// one before.
func TestDeepChain(t *testing.T) {
	const length = 100_000
	s := New(t.TempDir())
	layer := func(n int) digest.Digest { return digest.FromString(fmt.Sprint(n)) }
	s.Hold(nil, patch.Layer{DiffID: layer(0)})
	for n := 1; n <= length; n++ {
		tr := &patch.LayerTransport{DiffID: layer(n), Kind: patch.TransportDelta, Delta: &patch.LayerDelta{}, Bases: []digest.Digest{layer(n - 1)}}
		s.places[tr.DiffID] = []place{{delta: tr}}
	}
	begun := time.Now()
	if got := s.ranked()[layer(length)]; got != length {
		t.Errorf("the last one has rank %d", got)
	}
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("it takes %v", took)
	}
}
