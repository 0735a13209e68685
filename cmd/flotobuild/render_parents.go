package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flotobuild/flotobuild/planner"
)

// parents names the patches that the next one of a site applies to; of several
// it tells what each lacks.
func (r *planRenderer) parents(s *planner.SitePlan) {
	for i, p := range s.Parents {
		r.line("  #   %s", safe(p.ID))
		if slices.Contains(s.WithoutLayers, p.ID) {
			r.grey("  #     its description alone is at hand: images are built without its layers and cache")
		}
		if i < len(s.ParentChanges) {
			r.line("  #     %s", safe(lacks(&s.ParentChanges[i])))
		}
	}
	if len(s.ParentChanges) > 0 {
		r.grey("  # The patch carries what any of them lacks. What follows compares with the first.")
	}
}

// lacks says in words what a parent lacks.
func lacks(c *planner.ParentChange) string {
	var parts []string
	add := func(n int, noun string, names []string) {
		if n > 0 {
			parts = append(parts, strings.TrimSpace(count(n, noun)+" "+some(names)))
		}
	}
	add(len(c.Images), "image", c.Images)
	add(len(c.Removed), "removed image", c.Removed)
	add(c.Conf, "file", nil)
	add(c.Manifest, "entry", nil)
	add(len(c.Attributes), "attribute", nil)
	if len(parts) == 0 {
		return "has all that the site should have"
	}
	return "differs in " + strings.Join(parts, ", ")
}

// some quotes names in brackets, not too many.
func some(names []string) string {
	const most = 5
	if len(names) == 0 {
		return ""
	}
	var out []string
	for _, n := range names[:min(len(names), most)] {
		out = append(out, fmt.Sprintf("%q", n))
	}
	if more := len(names) - most; more > 0 {
		out = append(out, fmt.Sprintf("%d more", more))
	}
	return "(" + strings.Join(out, ", ") + ")"
}

// diverging tells of images that sites with different parents share.
func (r *planRenderer) diverging() {
	for _, i := range r.plan.Images {
		if len(i.Diverging) == 0 {
			continue
		}
		r.grey("# %s is made once for all sites, whose parents have different ones:", safe(i.Address))
		for n, s := range i.Diverging {
			if n == mostFiles && !r.detail && len(i.Diverging) > mostFiles+1 {
				r.grey("#   %s hidden, -detail lists them", count(len(i.Diverging)-n, "more site"))
				break
			}
			r.grey("#   %s has %s", s.Site, shortDigest(s.ID.String()))
		}
		r.grey("# So a patch may carry layers that its site would keep if it were alone.")
	}
}

// policies tells which rules the build will decide.
func (r *planRenderer) policies() {
	for _, s := range r.plan.Sites {
		for _, o := range s.Policy {
			if o.Outcome == planner.PolicyUnknown && s.Change != planner.ChangeNone {
				r.grey("# policy of %s: %s %s", s.Name, o.Rule, after)
			}
		}
	}
}
