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
	parent *patch.Description            // nil for an initial patch
	layers map[digest.Digest]patch.Layer // those that may be replaced, each once
	other  int64                         // bytes of layers that the parent has nothing of
}

// estimate fills in the figures of a site that stand for a build.
func (d *differ) estimate(p *SitePlan, parent *patch.Description) {
	e := &estimator{images: d.images, parent: parent, layers: make(map[digest.Digest]patch.Layer)}
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
	p.Size.NewLayers = e.other
	for _, l := range e.layers {
		p.Size.NewLayers += l.Size
	}
	if p.Size.Unestimated == 0 {
		p.Size.Patch = p.Size.Conf + p.Size.NewLayers
	}
}

// image estimates the bytes that travel for one image.
func (e *estimator) image(c *ImageChange) (size int64, known bool) {
	img := e.images[c.Address]
	var old *patch.Image
	if e.parent != nil && c.Change == ChangeUpdate {
		old = findImage([]*patch.Description{e.parent}, c.Name)
	}
	switch {
	case img == nil:
		return 0, false
	case old != nil:
		return e.replaced(e.suspects(old, img, c.Reasons)), true
	case img.Rootfs != nil:
		e.other += img.Rootfs.Size
		return img.Rootfs.Size, true
	}
	return 0, false
}

func (e *estimator) replaced(layers map[digest.Digest]patch.Layer) int64 {
	var sum int64
	for id, l := range layers {
		e.layers[id] = l
		sum += l.Size
	}
	return sum
}

// suspects gives the layers of a parent's image that its next version may
// replace: those of its own, and those of its bases that are made anew.
func (e *estimator) suspects(old *patch.Image, img *Image, why []Reason) map[digest.Digest]patch.Layer {
	out := make(map[digest.Digest]patch.Layer)
	based := make(map[digest.Digest]bool)
	for _, address := range img.DependsOn {
		was, is := e.oldBase(address), e.images[address]
		if was == nil || is == nil {
			continue
		}
		for _, m := range was.Manifests {
			for _, l := range m.Layers {
				based[l.DiffID] = true
			}
		}
		if !same(was, is) {
			for id, l := range e.suspects(was, is, differences(was, is)) {
				out[id] = l
			}
		}
	}
	for _, m := range old.Manifests {
		own := slices.DeleteFunc(slices.Clone(m.Layers), func(l patch.Layer) bool { return based[l.DiffID] })
		for _, l := range touched(own, img, why) {
			out[l.DiffID] = l
		}
	}
	return out
}

// oldBase finds what an image was built on, by address.
func (e *estimator) oldBase(address string) *patch.Image {
	for _, list := range [][]patch.Image{e.parent.Flotobuild.Images, e.parent.Flotobuild.Bases} {
		for n := range list {
			if list[n].Address == address {
				return &list[n]
			}
		}
	}
	return nil
}

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
