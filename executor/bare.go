package executor

import (
	"slices"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

// A parent of which the description alone is at hand says what its site has, and
// that is all that a patch needs. What builds miss is its layers, as bases, and
// its cache records.

// warnBare tells of what was built without a parent's layers.
func (r *run) warnBare() {
	for _, s := range r.plan.Sites {
		built := func(c planner.ImageChange) bool {
			m := r.made[c.Address]
			return m != nil && m.plan.Kind == planner.KindBuild && c.OldID != ""
		}
		if r.parents.bare[s.Name] && slices.ContainsFunc(s.Images, built) {
			r.warn("the description alone of the parent of site %q is at hand, so that its images were built without the parent's layers and cache: steps which did not change may have given new layers", s.Name)
		}
	}
}

// warnRebuilt tells of a base that nothing has changed and that is built again
// because its layers are nowhere.
func (r *run) warnRebuilt(img *planner.ImagePlan) {
	same := func(i patch.Image) bool {
		return i.Fingerprint != nil && i.Fingerprint.Digest == img.Fingerprint.Digest
	}
	for site, all := range r.parents.bySite {
		if !r.parents.bare[site] || img.Kind != planner.KindBuild {
			continue
		}
		for _, d := range all {
			if slices.ContainsFunc(described(d), same) {
				r.warn("%s was built again although nothing of it has changed: other images are built on it, and its layers are in none of the patches at hand", img.Address)
				return
			}
		}
	}
}
