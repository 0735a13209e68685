package main

import (
	"fmt"

	"github.com/flotobuild/flotobuild/planner"
)

// mostFiles is how many changed files of conf are listed without -detail.
const mostFiles = 10

func (r *planRenderer) site(s *planner.SitePlan) {
	switch s.Change {
	case planner.ChangeNone:
		r.grey("  # site %q has all that it should have: no patch", s.Name)
		return
	case planner.ChangeCreate:
		r.line("  # site %q has no patch yet: an initial one", s.Name)
	default:
		r.line("  # site %q: an incremental patch on", s.Name)
		r.parents(s)
	}
	r.line("  %s patch %q in %s {", r.symbol(s.Change), s.Patch.Name, s.Patch.Output)
	r.attributes(s)
	r.images(s)
	r.manifest(s)
	r.conf(s)
	r.siteEnvelopes(s)
	r.size(s)
	r.line("    }")
}

func (r *planRenderer) attributes(s *planner.SitePlan) {
	if s.Change == planner.ChangeCreate {
		r.line("      %s version = %q", r.symbol(s.Change), s.Patch.Version)
	}
	for _, a := range s.Attributes {
		r.line("      %s %s = %q → %q", r.symbol(planner.ChangeUpdate), a.Name, a.Old, a.New)
	}
	if revision := r.plan.Project.Revision; revision != "" {
		r.line("        revision = %q", revision)
	}
}

func (r *planRenderer) images(s *planner.SitePlan) {
	hidden := 0
	for _, i := range s.Images {
		switch {
		case i.Change != planner.ChangeNone:
			r.image(i)
		case i.Made():
			r.grey("        # image %q was made anew and is the same as before", i.Name)
		default:
			hidden++
		}
	}
	if hidden > 0 {
		r.grey("        # %s hidden", count(hidden, "unchanged image"))
	}
}

func (r *planRenderer) conf(s *planner.SitePlan) {
	if len(s.Conf) == 0 {
		return
	}
	r.line("      %s conf: %s", r.symbol(s.Change), confCounts(s.Conf))
	if s.Change == planner.ChangeCreate && !r.detail {
		return // everything is new
	}
	r.files(s.Conf, true)
}

// files lists changed files, the first of them without -detail.
func (r *planRenderer) files(files []planner.FileChange, sizes bool) {
	for n, f := range files {
		if n == mostFiles && !r.detail && len(files) > mostFiles+1 {
			r.grey("            # %s hidden, -detail lists them", count(len(files)-n, "more file"))
			break
		}
		size := ""
		if sizes {
			size = " " + r.paint(grey, "("+byteSize(f.Size)+")")
		}
		r.line("          %s %s%s", r.symbol(f.Change), safe(f.Path), size)
	}
}

// manifest lists what the root definition gives the patch. How large it is
// depends on ids that are known after apply.
func (r *planRenderer) manifest(s *planner.SitePlan) {
	if len(s.Manifest) == 0 {
		return
	}
	r.line("      %s manifest and documents: %s", r.symbol(s.Change), confCounts(s.Manifest))
	r.files(s.Manifest, false)
}

// confCounts sums up the changed files.
func confCounts(files []planner.FileChange) string {
	n := make(map[string]int)
	for _, f := range files {
		n[f.Change]++
	}
	out := ""
	for _, c := range []struct{ change, verb string }{
		{planner.ChangeCreate, "new"}, {planner.ChangeUpdate, "changed"}, {planner.ChangeRemove, "removed"},
	} {
		if n[c.change] == 0 {
			continue
		}
		if out != "" {
			out += ", "
		}
		out += fmt.Sprintf("%d %s", n[c.change], c.verb)
	}
	return out
}

// size tells what is known of the patch's size.
func (r *planRenderer) size(s *planner.SitePlan) {
	if s.Size.Exact {
		r.exactSize(s.Size)
		return
	}
	layers := "no new layers"
	if n := s.Size.UnknownImages; n > 0 {
		layers = fmt.Sprintf("new layers of %s (known after apply)", count(n, "image"))
		if s.Size.NewLayers > 0 {
			layers += fmt.Sprintf(", estimated %s", estimate(s.Size.NewLayers))
		}
		if u := s.Size.Unestimated; u > 0 && u < n {
			layers += fmt.Sprintf(" for %d of them", n-u)
		}
	}
	r.line("        size = %s of conf + %s", byteSize(s.Size.Conf), layers)
}
