package executor

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
)

// How many bytes the blobs of bases may have: they are unpacked and searched.
const (
	mostOwn    int64 = 4 << 30 // of the image's predecessor
	mostOthers int64 = 1 << 30 // of all images
	// leastShare is how many bytes of bases are worth searching for a byte of new
	// layers, which deltas may spare: seconds for each 64 KiB.
	leastShare = 16 << 10
)

// A look compares a layer with bases.
type look struct {
	layer patch.Layer
	bases []digest.Digest
}

// looks says what fresh layers are compared with, and in which order, so that
// equal bases follow each other. First come the layers of the parent's images
// that have the name and platform of the layer's own: sites that share an image
// share its deltas, whatever else they have. Then come those of all images of the parent,
// for layers of which that made nothing good.
func (r *run) looks(d *draft, fresh []patch.Layer) []look {
	c := &candidates{parents: d.parents, has: r.parents.layersOf.Has}
	with := variantsWith(d.desc.Flotobuild.Images)
	changed := make(variants)
	for _, l := range fresh {
		maps.Copy(changed, with[l.Digest])
	}
	all := c.all(changed, min(mostOthers, share(fresh)))
	var own, rest []look
	for _, l := range fresh {
		mine := with[l.Digest]
		beside := slices.DeleteFunc(slices.Clone(fresh), func(o patch.Layer) bool { return !mine.meets(with[o.Digest]) })
		bases := c.of(mine, min(mostOwn, share(beside)))
		if len(bases) > 0 && !slices.Contains(bases, l.DiffID) {
			own = append(own, look{l, bases})
		}
		if len(all) > 0 && !slices.Equal(all, bases) && !slices.Contains(all, l.DiffID) {
			rest = append(rest, look{l, all})
		}
	}
	slices.SortStableFunc(own, func(a, b look) int { return slices.Compare(a.bases, b.bases) })
	return append(own, rest...)
}

// share is how many bytes of bases are worth searching for some layers.
func share(layers []patch.Layer) int64 {
	var size int64
	for _, l := range layers {
		size += l.Size
	}
	return size * leastShare
}

// A variant is an image for one platform.
type variant struct{ name, platform string }

// variants is a set of them.
type variants map[variant]bool

func (v variants) meets(o variants) bool {
	for i := range v {
		if o[i] {
			return true
		}
	}
	return false
}

// variantsWith gives the variants that have a layer, by blob.
func variantsWith(images []patch.Image) map[digest.Digest]variants {
	out := make(map[digest.Digest]variants)
	for _, i := range images {
		for _, m := range i.Manifests {
			for _, l := range m.Layers {
				if out[l.Digest] == nil {
					out[l.Digest] = make(variants)
				}
				out[l.Digest][variant{i.Name, m.Platform}] = true
			}
		}
	}
	return out
}

// candidates are the layers that deltas may build on.
type candidates struct {
	parents []*patch.Description
	has     func(diffID digest.Digest) bool // whether a layer is at hand
	kept    map[string][]digest.Digest      // by variants and room
}

// of lists the layers of some images that every parent has and that are at
// hand, in the order of the first parent, as far as there is room for their
// blobs.
func (c *candidates) of(own variants, room int64) []digest.Digest {
	key := fmt.Sprint(room, slices.SortedFunc(maps.Keys(own), func(a, b variant) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.platform, b.platform))
	}))
	if out, ok := c.kept[key]; ok {
		return out
	}
	out := c.take(c.counted(), &room, func(v variant) bool { return own[v] })
	if c.kept == nil {
		c.kept = make(map[string][]digest.Digest)
	}
	c.kept[key] = out
	return out
}

// all lists the layers of all images likewise. Those of changed ones get room
// first, and come last nevertheless: of files with the same path a delta takes
// the one on top.
func (c *candidates) all(changed variants, room int64) []digest.Digest {
	have := c.counted()
	top := c.take(have, &room, func(v variant) bool { return changed[v] })
	return append(c.take(have, &room, func(v variant) bool { return !changed[v] }), top...)
}

// take lists the layers of some images for which there is room, and takes the
// room and the layers away.
func (c *candidates) take(have map[digest.Digest]int, room *int64, wanted func(variant) bool) []digest.Digest {
	var out []digest.Digest
	for _, i := range c.parents[0].Flotobuild.Images {
		for _, m := range i.Manifests {
			if !wanted(variant{i.Name, m.Platform}) {
				continue
			}
			for _, l := range m.Layers {
				if have[l.DiffID] == len(c.parents) && l.Size <= *room && c.has(l.DiffID) {
					out = append(out, l.DiffID)
					*room -= l.Size
					delete(have, l.DiffID)
				}
			}
		}
	}
	return out
}

// counted says how many parents have a layer.
func (c *candidates) counted() map[digest.Digest]int {
	out := make(map[digest.Digest]int)
	for _, p := range c.parents {
		for _, id := range p.RequiredImageIDs {
			out[id]++
		}
	}
	return out
}
