package planner

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/patch"
)

// PatchInfo is what root definitions see of the patch that they go with.
type PatchInfo = lang.PatchInfo

// unknownID stands for the id of a patch that has not been made.
const unknownID = "known-after-apply"

// Revision is the revision of the patch: its name and the state of the sources,
// or its version where there is no git.
func (p *Patch) Revision(project Project) string {
	return p.Name + "-" + cmp.Or(project.Revision, p.Version)
}

// Compile compiles the root definitions of the sites of want, which Resolve has
// made from cfg, and fills in what their manifests and documents would be had
// nothing changed but the configuration: rendered with the id, version and
// revision of the parent and the ids of its images. Parents are matched as Diff
// does it. What goes wrong with the next patch's own is found on the way.
func Compile(cfg *lang.Config, parents []*patch.Description, want *Desired) hcl.Diagnostics {
	_, diags := Preview(cfg, parents, want)
	return diags
}

// Preview does what Compile does, and gives the entries of the next patches by
// site and name, with placeholders for ids that are known after the build only.
func Preview(cfg *lang.Config, parents []*patch.Description, want *Desired) (map[string]map[string][]byte, hcl.Diagnostics) {
	c := compiler{cfg: cfg, project: want.Project, next: make(map[string]map[string][]byte)}
	of := bySite(parents)
	for _, s := range want.Sites {
		c.site(s, of[s.Name])
	}
	return c.next, c.diags
}

type compiler struct {
	cfg     *lang.Config
	project Project
	diags   hcl.Diagnostics
	next    map[string]map[string][]byte // entries by site
}

func (c *compiler) site(s *Site, parents []*patch.Description) {
	from := langSite(c.cfg, s.Name)
	if from == nil {
		return
	}
	next := PatchInfo{ID: unknownID, Version: s.Patch.Version, Revision: s.Patch.Revision(c.project)}
	var first *patch.Description
	if len(parents) > 0 {
		first = parents[0]
		next.Parent = first.ID
	}
	in := lang.CompileInput{Images: idsAt(s, first), Patch: next}
	m, diags := from.Compile(in)
	c.checkNeeds(s, slices.Concat(from.Needs, m.Needs()))
	c.diags = append(c.diags, diags...)
	if !diags.HasErrors() && len(m.SiteVariables) > 0 {
		c.diags = append(c.diags, from.CheckAtSite(m, in, confPaths(s))...)
	}
	c.next[s.Name] = m.Files()
	s.Manifest = manifestFiles(c.next[s.Name])
	for i, p := range parents {
		files := asParentHad(from, s, p, m)
		if i == 0 {
			s.Manifest = files
			continue
		}
		setIn(&s.manifests, p.ID, files)
	}
}

// idsAt gives the ids of the site's images as a parent has them; a nil one has
// none.
func idsAt(s *Site, parent *patch.Description) map[string]string {
	ids := make(map[string]string)
	for _, i := range s.Images {
		ids[i.Name] = lang.PlaceholderID
		if parent != nil && parent.ImageMap[i.Name] != "" {
			ids[i.Name] = parent.ImageMap[i.Name].String()
		}
	}
	return ids
}

// asParentHad renders the manifest with what a parent has; next is that of the
// next patch.
func asParentHad(from *lang.Site, s *Site, parent *patch.Description, next *lang.Manifest) []File {
	old, diags := from.Compile(lang.CompileInput{Images: idsAt(s, parent), Patch: infoOf(parent)})
	files := old.Files()
	if diags.HasErrors() {
		// What cannot be rendered as the parent was has changed.
		files = next.Files()
		maps.Copy(files, old.Files())
	}
	return manifestFiles(files)
}

func infoOf(d *patch.Description) PatchInfo {
	id, parent := d.Rendered()
	return PatchInfo{ID: id, Version: d.Flotobuild.Version, Revision: d.Revision, Parent: parent}
}

func langSite(cfg *lang.Config, name string) *lang.Site {
	i := slices.IndexFunc(cfg.Sites, func(s *lang.Site) bool { return s.Name == name })
	if i < 0 {
		return nil
	}
	return cfg.Sites[i]
}

func manifestFiles(files map[string][]byte) []File {
	var out []File
	for _, name := range slices.Sorted(maps.Keys(files)) {
		b := files[name]
		out = append(out, File{Path: name, Mode: uint32(patch.ModeFile), Size: int64(len(b)), Digest: digest.FromBytes(b)})
	}
	return out
}

// checkNeeds finds mounted files of the project that do not travel in conf/.
func (c *compiler) checkNeeds(s *Site, needs []lang.Path) {
	seen := make(map[string]bool)
	for _, n := range needs {
		if seen[n.Name] {
			continue
		}
		seen[n.Name] = true
		has := func(f File) bool { return n.Name == "." || f.Path == n.Name || strings.HasPrefix(f.Path, n.Name+"/") }
		if slices.ContainsFunc(s.Conf, has) {
			continue
		}
		d := problem(n.Range, "Mounted file does not travel", fmt.Sprintf(
			"The site %q would find nothing at %q: it does not exist, or git ignores it, or the root definition's conf block leaves it out. "+
				"For data that containers write, use a named volume or an absolute path.", s.Name, n.Name))
		lang.Of(d, "site."+s.Name)
		c.diags = append(c.diags, d)
	}
}

// confPaths lists the files that travel in conf/.
func confPaths(s *Site) []string {
	out := make([]string, 0, len(s.Conf))
	for _, f := range s.Conf {
		out = append(out, f.Path)
	}
	return out
}

// Render compiles the root definition of a site with ids that are known, and
// gives the entries of its patch: manifest and documents. A problem in the
// configuration is an hcl.Diagnostics.
func Render(cfg *lang.Config, site string, images map[string]digest.Digest, info PatchInfo) (map[string][]byte, error) {
	from := langSite(cfg, site)
	if from == nil {
		return nil, fmt.Errorf("cannot render the manifest: the configuration has no site %q", site)
	}
	ids := make(map[string]string)
	for name, id := range images {
		ids[name] = id.String()
	}
	m, diags := from.Compile(lang.CompileInput{Images: ids, Patch: info})
	if diags.HasErrors() {
		return nil, diags
	}
	return m.Files(), nil
}
