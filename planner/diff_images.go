package planner

import (
	"cmp"
	"slices"

	"github.com/flotobuild/flotobuild/patch"
)

// siteImages compares the images of a site with its parents' and notes those
// that have to be made.
func (d *differ) siteImages(parents []*patch.Description, s *Site) []ImageChange {
	out := d.siteChanges(parents, s)
	for _, c := range out {
		if unknown(c) {
			d.lacking[c.Address] = append(d.lacking[c.Address], c.Reasons...)
		}
	}
	return out
}

// siteChanges compares the images of a site with its parents'. An image that any
// parent has and the site no longer needs is removed.
func (d *differ) siteChanges(parents []*patch.Description, s *Site) []ImageChange {
	var out []ImageChange
	seen := make(map[string]bool)
	for _, si := range s.Images {
		seen[si.Name] = true
		out = append(out, d.image(parents, si))
	}
	for _, p := range parents {
		for _, old := range p.Flotobuild.Images {
			if seen[old.Name] {
				continue
			}
			seen[old.Name] = true
			c := ImageChange{Name: old.Name, Change: ChangeRemove, OldID: old.ID}
			c.OldLayers, c.OldSize = d.layersOf(&old)
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b ImageChange) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// image compares one image.
func (d *differ) image(parents []*patch.Description, si SiteImage) ImageChange {
	c := ImageChange{Name: si.Name, Address: si.Address, Change: ChangeCreate}
	img := d.images[si.Address]
	old := d.indexes.of(first(parents)).byName[si.Name]
	switch {
	case old == nil && img != nil:
		if old = d.findSame(parents, img); old != nil {
			c.From = old.Name
		}
	case old != nil && img != nil && d.everyParentHas(parents, old, img):
		c.Change = ChangeNone
	case old != nil:
		c.Change = ChangeUpdate
	}
	if old != nil {
		c.OldID = old.ID
		c.OldLayers, c.OldSize = d.layersOf(old)
	}
	if unknown(c) {
		c.Reasons = d.reasons(parents, si.Name, img)
	}
	return c
}

// findSame returns an image with the same inputs, whatever its name.
func (d *differ) findSame(parents []*patch.Description, img *Image) *patch.Image {
	for _, i := range d.indexes.of(first(parents)).byInputs[img.Fingerprint.Digest] {
		if d.everyParentHas(parents, i, img) {
			return i
		}
	}
	return nil
}

// everyParentHas says whether the first parent's image old is what img would
// be, and whether the other parents have it, too.
func (d *differ) everyParentHas(parents []*patch.Description, old *patch.Image, img *Image) bool {
	if !same(old, img) {
		return false
	}
	for _, p := range parents[1:] {
		if !d.has(p, old) {
			return false
		}
	}
	return true
}

// same compares fingerprints and platforms. The platforms of an image that
// others made are theirs, and part of its digest.
func same(old *patch.Image, img *Image) bool {
	return old.Fingerprint != nil && old.Fingerprint.Digest == img.Fingerprint.Digest &&
		(img.Kind == KindSource || slices.Equal(platformsOf(old), img.Platforms))
}

// platformsOf returns the platforms of a parent's image in the form of
// Image.Platforms.
func platformsOf(i *patch.Image) []string {
	var out []string
	for _, m := range i.Manifests {
		p, err := normalizePlatform(m.Platform)
		if err != nil {
			p = m.Platform
		}
		out = append(out, p)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
