package planner

import (
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
)

// An estimator guesses which layers of a site's next patch will be new, from
// what the parent says of its images. See ADR 0031 for what the guess is worth.
type estimator struct {
	images map[string]*Image
	parent *patch.Description      // nil for an initial patch
	index  *index                  // of the parent
	bytes  map[digest.Digest]int64 // of layers that may be replaced, and of inputs that become layers
	seen   map[digest.Digest]bool  // layers of one image
	bases  map[string][]patch.Layer
}

// estimate fills in the figures of a site that stand for a build.
func (d *differ) estimate(p *SitePlan, parent *patch.Description) {
	e := &estimator{
		images: d.images, parent: parent, index: d.indexes.of(parent),
		bytes: make(map[digest.Digest]int64),
		seen:  make(map[digest.Digest]bool),
		bases: make(map[string][]patch.Layer),
	}
	for n := range p.Images {
		c := &p.Images[n]
		if !unknown(*c) {
			continue
		}
		size, known := e.image(c)
		if c.NewSize = size; !known {
			p.Size.Unestimated++
		}
	}
	for _, n := range e.bytes {
		p.Size.NewLayers += n
	}
	if p.Size.Unestimated == 0 {
		p.Size.Patch = p.Size.Conf + p.Size.NewLayers
		// What cannot be split so is said when it is.
		p.Size.Volumes, _ = patch.Volumes{Size: p.Patch.VolumeSize, Parity: p.Patch.Parity}.Count(p.Name, p.Size.Patch)
	}
}

// image estimates the bytes that travel for one image.
func (e *estimator) image(c *ImageChange) (size int64, known bool) {
	img := e.images[c.Address]
	var old *patch.Image
	if e.parent != nil && c.Change == ChangeUpdate {
		old = e.index.byName[c.Name]
	}
	switch {
	case img == nil:
		return 0, false
	case img.Source != nil && img.Source.Size > 0:
		e.bytes[img.Source.Digest] = img.Source.Size
		return img.Source.Size, true
	case old != nil:
		return e.replaced(e.suspects(old, img, c.Reasons)), true
	case img.Rootfs != nil:
		e.bytes[img.Rootfs.Digest] = img.Rootfs.Size
		return img.Rootfs.Size, true
	}
	return 0, false
}

func (e *estimator) replaced(layers []patch.Layer) int64 {
	clear(e.seen)
	var sum int64
	for _, l := range layers {
		if !e.seen[l.DiffID] {
			e.seen[l.DiffID] = true
			e.bytes[l.DiffID] = l.Size
			sum += l.Size
		}
	}
	return sum
}

// suspects gives the layers of a parent's image that its next version may
// replace: those of its own, and those of its bases that are made anew. Some may
// stand twice.
func (e *estimator) suspects(old *patch.Image, img *Image, why []Reason) []patch.Layer {
	var out []patch.Layer
	based := make([]int, len(old.Manifests))
	for _, address := range img.DependsOn {
		was, is := e.oldBase(address), e.images[address]
		if was == nil || is == nil {
			continue
		}
		for n, m := range old.Manifests {
			based[n] = max(based[n], beneath(m, was))
		}
		out = append(out, e.suspectsOfBase(was, is)...)
	}
	for n, m := range old.Manifests {
		out = append(out, touched(m.Layers[based[n]:], img, why)...)
	}
	return out
}

// beneath counts the layers of a base that an image begins with: all or none.
func beneath(m patch.Manifest, base *patch.Image) int {
	for _, b := range base.Manifests {
		n := len(b.Layers)
		if b.Platform == m.Platform && n <= len(m.Layers) &&
			slices.EqualFunc(b.Layers, m.Layers[:n], func(x, y patch.Layer) bool { return x.DiffID == y.DiffID }) {
			return n
		}
	}
	return 0
}

// suspectsOfBase works once for each base.
func (e *estimator) suspectsOfBase(was *patch.Image, is *Image) []patch.Layer {
	out, known := e.bases[is.Address]
	if !known && !same(was, is) {
		out = e.suspects(was, is, differences(was, is))
		if len(is.DependsOn) > 1 {
			out = once(out) // or a base of several bases would double at each step
		}
	}
	e.bases[is.Address] = out
	return out
}

func once(layers []patch.Layer) []patch.Layer {
	seen := make(map[digest.Digest]bool, len(layers))
	return slices.DeleteFunc(layers, func(l patch.Layer) bool {
		again := seen[l.DiffID]
		seen[l.DiffID] = true
		return again
	})
}

// oldBase finds what an image was built on, by address.
func (e *estimator) oldBase(address string) *patch.Image { return e.index.byAddress[address] }

// touched leaves out the layers below the first that copies files, where
// nothing but files of build contexts changed.
func touched(layers []patch.Layer, img *Image, why []Reason) []patch.Layer {
	files := func(r Reason) bool {
		return strings.HasPrefix(r.Input, "context")
	}
	if img.Build == nil || len(why) == 0 || slices.ContainsFunc(why, func(r Reason) bool { return !files(r) }) {
		return layers
	}
	copies := func(l patch.Layer) bool {
		return strings.HasPrefix(l.CreatedBy, "COPY ") || strings.HasPrefix(l.CreatedBy, "ADD ")
	}
	if n := slices.IndexFunc(layers, copies); n >= 0 {
		return layers[n:]
	}
	return layers
}
