package planner

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/hashicorp/hcl/v2"

	"github.com/flotobuild/flotobuild/lang"
)

// checkRoots demands that the root definition files that have the selection
// travel: a site cannot do without its own.
func (r *resolver) checkRoots(c *confFacts) hcl.Diagnostics {
	var diags hcl.Diagnostics
	var seen []*lang.RootDefinition
	for _, s := range r.cfg.Sites {
		root := s.RootDefinition
		if !c.selects(root) || slices.Contains(seen, root) {
			continue
		}
		seen = append(seen, root)
		name := root.File.Name
		if slices.ContainsFunc(c.files, func(f File) bool { return f.Path == name }) {
			continue
		}
		diags = append(diags, problem(orRange(root.File.Range, root.Range), "Root definition file does not travel",
			fmt.Sprintf("The patches of root definition %q need the file %q, and it would not be in conf: %s.", root.Name, name, r.whyLeftOut(c, name))))
	}
	return diags
}

// whyLeftOut says why a file that exists is not in conf, and how to mend it.
func (r *resolver) whyLeftOut(c *confFacts, name string) string {
	for _, s := range r.cfg.Sites {
		if out := s.Patch.Output.Name; below(name, out) {
			return fmt.Sprintf("it stands in %q, the output of site %q, which never travels. Name a folder without source files as output", out, s.Name)
		}
	}
	for _, o := range r.omitted() {
		if below(name, o) {
			return fmt.Sprintf("it stands in %q, which never travels. Move it elsewhere", o)
		}
	}
	if p := matching(c.root.Conf.Exclude, name); p != "" {
		return fmt.Sprintf("the pattern %q in exclude leaves it out. Make the pattern narrower or move the file", p)
	}
	if matching(c.include(), name) == "" {
		return "no pattern in include selects it. Add it to include"
	}
	return "git ignores it, it is a hidden file of a project without git, or it stands in a nested repository. " +
		"Remove the git ignore pattern, rename the file or move it"
}

// below reports whether a file is dir or stands in it.
func below(name, dir string) bool {
	return name == dir || strings.HasPrefix(name, dir+"/")
}

// matching returns the first pattern that selects the file.
func matching(patterns []string, name string) string {
	n := slices.IndexFunc(patterns, func(p string) bool { return doublestar.MatchUnvalidated(p, name) })
	if n < 0 {
		return ""
	}
	return patterns[n]
}
