package layers

import (
	"fmt"
	"testing"

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
