package patch

import (
	"slices"

	"github.com/opencontainers/go-digest"
)

// A carried delta is one that goes on into another patch as it is.
type carried struct {
	transport LayerTransport
	content   Content
}

// keepDeltas finds the deltas of patches that hold on top of the base, too: it
// has all layers that they build on. own is a patch for the very parents of the
// base, all of whose deltas hold.
func (b *base) keepDeltas(patches []*Header, own *Header) {
	b.deltas = make(map[digest.Digest]carried)
	for _, p := range patches {
		for blob, t := range p.Description.Deltas() {
			if p != own && slices.ContainsFunc(t.Bases, func(id digest.Digest) bool { return !b.hasID(id) }) {
				continue
			}
			e := DeltaEntry(t.Delta.Digest)
			if i := slices.IndexFunc(p.Description.Flotobuild.Contents, func(c Content) bool { return c.Path == e }); i >= 0 {
				b.deltas[blob] = carried{t, p.Description.Flotobuild.Contents[i]}
			}
		}
	}
}
