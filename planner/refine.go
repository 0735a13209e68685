package planner

import (
	"cmp"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
)

// Refine replaces what a plan estimates by what a build of it gave: ids, layers
// with their causes, and sizes. An image that came out as the parent has it is
// not changed any more, and a site that lacks nothing then needs no patch.
//
// Like Diff it is pure: parents are those that Diff had, and the plan stays as
// it is. What apply makes stays the same, see ImageChange.Made.
func Refine(plan *Plan, parents []*patch.Description, built *Built) *Plan {
	out := *plan
	out.Created, out.SourceDateEpoch = built.Created, built.Epoch
	out.Sites = make([]*SitePlan, len(plan.Sites))
	of := bySite(parents)
	for n, s := range plan.Sites {
		r := &refiner{built: built, parent: first(of[s.Name]), indexes: make(indexes)}
		out.Sites[n] = r.site(s)
	}
	return &out
}

// A refiner works on one site.
type refiner struct {
	built   *Built
	parent  *patch.Description // that the plan was compared with; nil where there is none
	indexes indexes
	// travels has the layers that the patch carries.
	travels map[digest.Digest]bool
	// deltas has the sizes of the deltas among them.
	deltas map[digest.Digest]int64
}

func (r *refiner) site(s *SitePlan) *SitePlan {
	out := *s
	out.Images = slices.Clone(s.Images)
	out.Size = Size{Conf: s.Size.Conf, Exact: true}
	b, needed := r.built.Sites[s.Name]
	if !needed {
		unchanged(&out)
		return &out
	}
	d := b.Description
	r.travels, r.deltas = make(map[digest.Digest]bool), d.DeltaSizes()
	for _, t := range d.Flotobuild.Transport {
		r.travels[t.DiffID] = true
	}
	for n := range out.Images {
		r.image(&out.Images[n], d)
	}
	out.Size.NewLayers, out.Size.Patch, out.Size.Volumes = r.newLayers(d), b.Size, b.Volumes
	return &out
}

// unchanged makes a plan without a patch of a site's plan.
func unchanged(s *SitePlan) {
	s.Change, s.Attributes = ChangeNone, nil
	for n := range s.Images {
		if c := &s.Images[n]; unknown(*c) {
			c.Change, c.NewID, c.NewSize = ChangeNone, c.OldID, 0
		}
	}
}

func (r *refiner) image(c *ImageChange, d *patch.Description) {
	img := r.indexes.of(d).byName[c.Name]
	if img == nil || !unknown(*c) {
		return
	}
	c.NewID, c.NewSize, c.Layers = img.ID, 0, nil
	seen := make(map[digest.Digest]bool)
	for _, m := range img.Manifests {
		for _, l := range r.layers(c, m) {
			if l.Change == ChangeCreate && !seen[l.DiffID] {
				c.NewSize += l.Carried()
			}
			seen[l.DiffID] = true
			c.Layers = append(c.Layers, l)
		}
	}
	if c.Change == ChangeUpdate && c.NewID == c.OldID && c.NewSize == 0 {
		c.Change, c.Layers = ChangeNone, nil
	}
}

// layers compares one platform of an image with the parent's.
func (r *refiner) layers(c *ImageChange, m patch.Manifest) []LayerChange {
	var out []LayerChange
	for _, l := range m.Layers {
		change := ChangeNone
		if r.travels[l.DiffID] {
			change = ChangeCreate
		}
		out = append(out, LayerChange{Platform: m.Platform, DiffID: l.DiffID, Size: l.Size, Delta: r.deltas[l.DiffID], Change: change, CreatedBy: l.CreatedBy})
	}
	e := &explainer{reasons: c.Reasons, steps: r.built.Steps[c.Address][m.Platform], old: oldSteps(r.indexes.of(r.parent).byName[c.Name], m.Platform)}
	e.explain(out)
	return out
}

// newLayers adds up the layers that travel, each once.
func (r *refiner) newLayers(d *patch.Description) int64 {
	var sum int64
	seen := make(map[digest.Digest]bool)
	for _, i := range d.Flotobuild.Images {
		for _, m := range i.Manifests {
			for _, l := range m.Layers {
				if r.travels[l.DiffID] && !seen[l.DiffID] {
					seen[l.DiffID] = true
					sum += cmp.Or(r.deltas[l.DiffID], l.Size)
				}
			}
		}
	}
	return sum
}
