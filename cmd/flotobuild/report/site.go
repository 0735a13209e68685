package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flotobuild/flotobuild/planner"
)

// siteOf tells of one site.
func siteOf(p *planner.Plan, s *planner.SitePlan) *Site {
	out := &Site{
		Members: []Member{memberOf(s)}, Change: s.Change, Exact: s.Size.Exact,
		Version: s.Patch.Version, Revision: p.Project.Revision,
	}
	for _, o := range s.Policy {
		out.Policy = append(out.Policy, Policy{string(o.Rule), o.Outcome, plain(strings.ReplaceAll(o.Detail, "\n", " "))})
	}
	if s.Change == planner.ChangeNone {
		return out
	}
	out.Size, out.SizeMore = sizeOf(s.Size, len(s.Patch.SignKeys))
	for _, a := range s.Attributes {
		out.Attributes = append(out.Attributes, Entry{planner.ChangeUpdate, fmt.Sprintf("%s = %q → %q", a.Name, a.Old, a.New)})
	}
	for n := range s.Images {
		switch c := &s.Images[n]; {
		case c.Change != planner.ChangeNone:
			out.Images = append(out.Images, imageOf(c))
		case c.Made():
			out.Anew = append(out.Anew, c.Name)
		default:
			out.Unchanged = append(out.Unchanged, c.Name)
		}
	}
	out.Conf, out.Manifest = filesOf(s.Conf, true), filesOf(s.Manifest, false)
	out.Envelopes = filesOf(s.EnvelopeFiles, false)
	return out
}

func memberOf(s *planner.SitePlan) Member {
	m := Member{Name: s.Name, Patch: s.Patch.Name, Output: plain(s.Patch.Output)}
	if s.Change != planner.ChangeNone {
		m.Bytes, m.Size = s.Size.Patch, sumOf(s.Size)
	}
	for i, p := range s.Parents {
		r := Parent{ID: plain(p.ID), Bare: slices.Contains(s.WithoutLayers, p.ID)}
		if i < len(s.ParentChanges) {
			r.Lacks = plain(lacks(&s.ParentChanges[i]))
		}
		m.Parents = append(m.Parents, r)
	}
	return m
}

// lacks says in words what a parent lacks.
func lacks(c *planner.ParentChange) string {
	var parts []string
	add := func(n int, noun string, names []string) {
		if n == 0 {
			return
		}
		text := Count(n, noun)
		if len(names) > 0 {
			text += " (" + some(names, 5) + ")"
		}
		parts = append(parts, text)
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

// filesOf tells of changed files. How large manifests are depends on ids that
// are known after apply.
func filesOf(list []planner.FileChange, sizes bool) Files {
	n := make(map[string]int)
	var out Files
	for _, f := range list {
		n[f.Change]++
		file := File{Change: f.Change, Path: plain(f.Path)}
		if sizes {
			file.Size = Bytes(f.Size)
		}
		out.List = append(out.List, file)
	}
	var words []string
	for _, c := range []struct{ change, verb string }{
		{planner.ChangeCreate, "new"}, {planner.ChangeUpdate, "changed"}, {planner.ChangeRemove, "removed"},
	} {
		if n[c.change] > 0 {
			words = append(words, fmt.Sprintf("%d %s", n[c.change], c.verb))
		}
	}
	out.Counts = strings.Join(words, ", ")
	return out
}

// sizeOf tells what is known of the size of a patch that some keys sign.
func sizeOf(s planner.Size, keys int) (size, more string) {
	volumes := ""
	if s.Volumes > 0 {
		volumes = ", on " + Count(s.Volumes, "media volume")
	}
	if s.Exact {
		layers := "no new layer"
		if s.NewLayers > 0 {
			layers = Bytes(s.NewLayers) + " of it new layers"
		}
		if keys > 0 {
			volumes += "; " + Count(keys, "signature") + " not counted"
		}
		return fmt.Sprintf("%d bytes (%s)", s.Patch, Bytes(s.Patch)), ", " + layers + volumes
	}
	layers := "no new layers"
	if n := s.UnknownImages; n > 0 {
		layers = fmt.Sprintf("new layers of %s %s", Count(n, "image"), after)
		if s.NewLayers > 0 {
			layers += fmt.Sprintf(", estimated %s", estimate(s.NewLayers))
		}
		if u := s.Unestimated; u > 0 && u < n {
			layers += fmt.Sprintf(" for %d of them", n-u)
		}
	}
	if s.Volumes > 0 {
		volumes = ", on ~" + Count(s.Volumes, "media volume")
	}
	return Bytes(s.Conf) + " of conf", " + " + layers + volumes
}

// sumOf is the size of a patch in one figure.
func sumOf(s planner.Size) string {
	switch {
	case s.Exact:
		return Bytes(s.Patch)
	case s.Unestimated > 0:
		return after
	}
	return estimate(s.Patch)
}
