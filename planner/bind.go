package planner

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/flotobuild/flotobuild/patch"
)

// Bind ties a site's plan to the exact parent that it was made from: the
// digest of its description, and the file where it was found. It does nothing
// where the plan names no such parent.
func (p *Plan) Bind(site string, parent patch.ParentRef, file string) {
	for _, s := range p.Sites {
		if s.Name != site {
			continue
		}
		if len(s.ParentFiles) != len(s.Parents) {
			s.ParentFiles = make([]string, len(s.Parents))
		}
		for n := range s.Parents {
			if s.Parents[n].ID == parent.ID {
				s.Parents[n], s.ParentFiles[n] = parent, file
			}
		}
	}
}

// BindBare notes that of a site's parent the description alone is at hand.
func (p *Plan) BindBare(site, id string) {
	for _, s := range p.Sites {
		if s.Name == site {
			s.WithoutLayers = append(s.WithoutLayers, id)
		}
	}
}

// Stale compares a saved plan with one made now and lists what has changed in
// between, as phrases for a message. Nil means that the saved plan holds.
func Stale(saved, now *Plan) ([]string, error) {
	a, err := Encode(saved)
	if err != nil {
		return nil, err
	}
	b, err := Encode(now)
	if err != nil || bytes.Equal(a, b) {
		return nil, err
	}
	out := append(staleImages(saved, now), staleSites(saved, now)...)
	if saved.Project != now.Project {
		out = append(out, "the state of the sources")
	}
	if len(out) == 0 {
		out = append(out, "settings")
	}
	return out, nil
}

func staleImages(saved, now *Plan) []string {
	old := make(map[string]*ImagePlan)
	for _, i := range saved.Images {
		old[i.Address] = i
	}
	var out []string
	for _, i := range now.Images {
		if o := old[i.Address]; o == nil || o.Fingerprint.Digest != i.Fingerprint.Digest || o.Action != i.Action {
			out = append(out, fmt.Sprintf("inputs of %s", i.Address))
		}
		delete(old, i.Address)
	}
	for _, i := range saved.Images {
		if old[i.Address] != nil {
			out = append(out, fmt.Sprintf("%s, which is no longer needed", i.Address))
		}
	}
	return out
}

func staleSites(saved, now *Plan) []string {
	old := make(map[string]*SitePlan)
	for _, s := range saved.Sites {
		old[s.Name] = s
	}
	var out []string
	for _, s := range now.Sites {
		o := old[s.Name]
		delete(old, s.Name)
		switch {
		case o == nil:
			out = append(out, fmt.Sprintf("site %q, which is new", s.Name))
		case !slices.Equal(o.Parents, s.Parents):
			out = append(out, fmt.Sprintf("the parent of site %q", s.Name))
		case !slices.Equal(o.Site.Conf, s.Site.Conf):
			out = append(out, fmt.Sprintf("files in conf of site %q: %s", s.Name, changedFiles(o.Site.Conf, s.Site.Conf)))
		case !slices.Equal(o.Site.Manifest, s.Site.Manifest):
			out = append(out, fmt.Sprintf("the manifest or documents of site %q", s.Name))
		}
	}
	for _, s := range saved.Sites {
		if old[s.Name] != nil {
			out = append(out, fmt.Sprintf("site %q, which is gone", s.Name))
		}
	}
	return out
}

// changedFiles names the files in which two listings differ, not too many.
func changedFiles(before, now []File) string {
	const most = 3
	old := make(map[string]File)
	for _, f := range before {
		old[f.Path] = f
	}
	var names []string
	for _, f := range now {
		if o, ok := old[f.Path]; !ok || o != f {
			names = append(names, f.Path)
		}
		delete(old, f.Path)
	}
	names = append(names, slices.Sorted(maps.Keys(old))...)
	if n := len(names) - most; n > 0 {
		names = append(names[:most], fmt.Sprintf("%d more", n))
	}
	return strings.Join(names, ", ")
}
