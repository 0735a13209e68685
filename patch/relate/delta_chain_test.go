package relate

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/layers/layerstest"
)

// someDeltas makes layers travel as deltas against some of those that all parents
// have.
func (s *site) someDeltas(d *patch.Description, parents []*patch.Description) {
	s.t.Helper()
	have := make(map[digest.Digest]int)
	var bases []patch.Layer
	for _, p := range parents {
		for _, l := range layersIn(p) {
			if have[l.DiffID]++; have[l.DiffID] == len(parents) {
				bases = append(bases, l)
			}
		}
	}
	if len(bases) == 0 {
		return
	}
	full := make(map[digest.Digest]bool)
	for _, t := range d.Flotobuild.Transport {
		full[t.DiffID] = true
	}
	for _, l := range layersIn(d) {
		if full[l.DiffID] && have[l.DiffID] == 0 && s.deltas.IntN(4) > 0 {
			s.deltas.Shuffle(len(bases), func(i, j int) { bases[i], bases[j] = bases[j], bases[i] })
			layerstest.AsDelta(s.t, d, s.blobs, l, bases[:1+s.deltas.IntN(len(bases))]...)
		}
	}
}

// layersIn lists the layers of a patch, each once.
func layersIn(d *patch.Description) []patch.Layer {
	var out []patch.Layer
	seen := make(map[digest.Digest]bool)
	for _, i := range d.Flotobuild.Images {
		for _, l := range i.Manifests[0].Layers {
			if !seen[l.DiffID] {
				seen[l.DiffID] = true
				out = append(out, l)
			}
		}
	}
	return out
}

// A chain whose layers travel as deltas does what the same chain without deltas
// does: merged from anywhere to anywhere, and made for other parents or none.
func TestRandomDeltaChains(t *testing.T) {
	deltas, kept := 0, 0
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 8))
		packed, whole := newSite(t), newSite(t)
		packed.deltas = r
		var last release
		var chains [2][]*patch.Reader
		for n := range 4 + r.IntN(8) {
			last = randomRelease(r, last)
			for i, s := range []*site{packed, whole} {
				var parents []*patch.Reader
				if n > 0 {
					parents = chains[i][n-1:]
				}
				chains[i] = append(chains[i], s.write(last, parents...))
			}
			deltas += len(chains[0][n].Description.Deltas())
		}
		for range 4 {
			name := fmt.Sprintf("seed %d", seed)
			kept += checkDeltaChain(t, name, r, packed, whole, chains)
		}
		if t.Failed() {
			return
		}
	}
	if deltas == 0 || kept == 0 {
		t.Errorf("%d deltas were made, and %d stayed", deltas, kept)
	}
}

// checkDeltaChain merges a part of the chain and makes its end for another
// parent, with deltas and without, and gives the deltas that stayed.
func checkDeltaChain(t *testing.T, name string, r *rand.Rand, packed, whole *site, chains [2][]*patch.Reader) int {
	t.Helper()
	n := len(chains[0])
	from := r.IntN(n - 1)
	to := from + 2 + r.IntN(n-from-1)
	atHand, onto := r.IntN(2) == 0, r.IntN(n-1)-1
	var merged, rebased [2]*patch.Reader
	for i, s := range []*site{packed, whole} {
		chain := chains[i]
		var parents []*patch.Header
		if from > 0 && atHand {
			parents = headersOf(chain[from-1 : from])
		}
		d, err := patch.Merge(headersOf(chain[from:to]), parents)
		if err != nil {
			t.Fatalf("%s: merging %d to %d: %v", name, from, to, err)
		}
		merged[i] = s.related(d, chain[to-1], chain)
		d, err = patch.Rebase(&chain[n-1].Header, headersOf(chain[max(onto, 0):onto+1]))
		if err != nil {
			t.Fatalf("%s: onto %d: %v", name, onto, err)
		}
		rebased[i] = s.related(d, chain[n-1], chain)
	}
	sameCarried(t, fmt.Sprintf("%s, merged %d to %d, at hand %v", name, from, to, atHand), merged)
	sameCarried(t, fmt.Sprintf("%s, onto %d", name, onto), rebased)
	return len(merged[0].Description.Deltas()) + len(rebased[0].Description.Deltas())
}

// related writes what Merge or Rebase described, and checks it to the last layer.
func (s *site) related(d *patch.Description, release *patch.Reader, chain []*patch.Reader) *patch.Reader {
	s.t.Helper()
	h := NewHand(patch.Opener{})
	defer h.Close()
	for _, p := range chain {
		if _, err := h.Patch(s.path(p)); err != nil {
			s.t.Fatal(err)
		}
	}
	file, err := written(h.Write(s.t.Context(), s.t.TempDir(), d, release, WriteOptions{}))
	if err != nil {
		s.t.Fatal(err)
	}
	p := s.open(file)
	report, err := patch.Verify(s.t.Context(), p, patch.VerifyOptions{Parents: headersOf(chain), Bases: h.Tar})
	if err != nil || !report.Complete() || report.Applied != report.Deltas {
		s.t.Errorf("%q: %+v, %v", d.ID, report, err)
	}
	return p
}

// sameCarried compares a patch with deltas with one without.
func sameCarried(t *testing.T, name string, both [2]*patch.Reader) {
	t.Helper()
	var ids, carried [2][]digest.Digest
	for i, p := range both {
		ids[i] = append(slices.Clone(p.Description.RequiredImageIDs), p.Description.ContainedImageIDs...)
		for _, b := range patch.Blobs(p.Description.Flotobuild.Images) {
			if _, made := p.Description.Deltas()[b.Digest]; made || p.Has(b.Digest) {
				carried[i] = append(carried[i], b.Digest)
			}
		}
	}
	if !slices.Equal(ids[0], ids[1]) || !slices.Equal(carried[0], carried[1]) || len(both[1].Description.Deltas()) > 0 {
		t.Errorf("%s: it brings %q and %q, and without deltas %q and %q", name, ids[0], carried[0], ids[1], carried[1])
	}
}
