package planner

import (
	"cmp"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
)

// Diff decides what the next patches hold. Parents are matched to sites by
// their SiteName, in the order given: the first of a site is what its patch is
// compared with, and an image is reused only where all of them have it. A site
// without a parent gets an initial patch. Nil parents are ignored.
//
// Diff is pure and total: it reads nothing but its arguments, changes neither,
// and always returns a plan; equal arguments give equal plans. ToolVersion and
// what Bind sets are left to the caller.
func Diff(parents []*patch.Description, want *Desired) *Plan {
	p := &Plan{FormatVersion: FormatVersion, Project: want.Project, Engine: want.Engine, LockChanges: want.LockChanges}
	d := &differ{
		images: make(map[string]*Image), lacking: make(map[string][]Reason),
		blobs: make(map[*patch.Description]map[digest.Digest]bool),
		seen:  make(map[digest.Digest]bool),
	}
	for _, i := range want.Images {
		d.images[i.Address] = i
	}
	of := bySite(parents)
	d.envelopes = make(map[string]*EnvelopePlan)
	for _, e := range want.Envelopes {
		plan := diffEnvelope(e)
		p.Envelopes, d.envelopes[e.Address] = append(p.Envelopes, plan), plan
	}
	for _, v := range want.Volumes {
		p.Volumes = append(p.Volumes, d.volume(v))
	}
	p.Strays = want.Strays
	for _, s := range want.Sites {
		p.Sites = append(p.Sites, d.site(of[s.Name], s))
	}
	slices.SortStableFunc(p.Sites, func(a, b *SitePlan) int { return cmp.Compare(a.Name, b.Name) })
	p.Images = d.imagePlans(want.Images)
	divergences(p)
	return p
}

// differ collects what the sites lack.
type differ struct {
	images    map[string]*Image
	envelopes map[string]*EnvelopePlan // by address
	lacking   map[string][]Reason      // by address; present where a site lacks the image
	// blobs are what sites with a patch have, and the ids of the images; filled
	// where a site has several parents.
	blobs   map[*patch.Description]map[digest.Digest]bool
	indexes indexes                // of the parents of one site
	seen    map[digest.Digest]bool // layers of one image
}

// imagePlans gives every image its action, going from dependents to bases.
func (d *differ) imagePlans(images []*Image) []*ImagePlan {
	neededBy := make(map[string]string)
	out := make([]*ImagePlan, len(images))
	for n := len(images) - 1; n >= 0; n-- {
		img := images[n]
		plan := &ImagePlan{Image: *img, Action: ActionReuse}
		if reasons, lacks := d.lacking[img.Address]; lacks {
			plan.Action, plan.Reasons = ActionMake, sortReasons(reasons)
		} else if dependent, needed := neededBy[img.Address]; needed {
			plan.Action, plan.Reasons = ActionBase, []Reason{{Input: InputNeededBy, New: dependent}}
		}
		if plan.Action != ActionReuse {
			for _, dep := range img.DependsOn {
				// The last one set is the first in order, so that the
				// reason does not depend on unrelated images.
				neededBy[dep] = img.Address
			}
		}
		out[n] = plan
	}
	return out
}

func sortReasons(reasons []Reason) []Reason {
	out := slices.Clone(reasons)
	slices.SortFunc(out, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(a.Input, b.Input), cmp.Compare(a.Old, b.Old), cmp.Compare(a.New, b.New))
	})
	return slices.Compact(out)
}
