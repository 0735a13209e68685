package planner

import "github.com/flotobuild/flotobuild/patch"

// inputs gives what a plan was made from, without what Diff and Refine derived
// from it: two plans with the same inputs are the same plan, whether or not one
// of them was refined by a build.
func inputs(p *Plan) *Plan {
	out := *p
	out.Created, out.SourceDateEpoch = patch.Time{}, false
	out.Sites = nil
	for _, s := range p.Sites {
		out.Sites = append(out.Sites, &SitePlan{Site: s.Site, Parents: s.Parents, ParentFiles: s.ParentFiles})
	}
	return &out
}
