package planner

import (
	"fmt"
	"slices"

	"github.com/flotobuild/flotobuild/patch"
)

func staleSites(saved, now *Plan) []string {
	old := make(map[string]*SitePlan)
	for _, s := range saved.Sites {
		old[s.Name] = s
	}
	var out []string
	for _, s := range now.Sites {
		o := old[s.Name]
		delete(old, s.Name)
		if o == nil {
			out = append(out, fmt.Sprintf("site %q, which is new", s.Name))
			continue
		}
		out = append(out, staleSite(o, s)...)
	}
	for _, s := range saved.Sites {
		if old[s.Name] != nil {
			out = append(out, fmt.Sprintf("site %q, which is gone", s.Name))
		}
	}
	return out
}

// staleSite lists what a site's plan was made from and is no longer so. What a
// parent's change brings with it, other manifests, is not listed then.
func staleSite(saved, now *SitePlan) []string {
	var out []string
	if !slices.Equal(saved.Parents, now.Parents) {
		out = append(out, staleParents(saved, now))
	}
	if !slices.Equal(saved.Site.Conf, now.Site.Conf) {
		out = append(out, fmt.Sprintf("files in conf of site %q: %s", now.Name, changedFiles(saved.Site.Conf, now.Site.Conf)))
	}
	if !slices.Equal(saved.Site.Manifest, now.Site.Manifest) && len(out) == 0 {
		out = append(out, fmt.Sprintf("the manifest or documents of site %q: %s", now.Name, changedFiles(saved.Site.Manifest, now.Site.Manifest)))
	}
	if names := changedSettings(saved, now); names != "" {
		out = append(out, fmt.Sprintf("settings of site %q: %s", now.Name, names))
	}
	if !slices.Equal(saved.Envelopes, now.Envelopes) {
		out = append(out, fmt.Sprintf("the envelopes of site %q", now.Name))
	}
	if !slices.Equal(saved.Site.Images, now.Site.Images) {
		out = append(out, fmt.Sprintf("the images of site %q", now.Name))
	}
	return out
}

func changedSettings(saved, now *SitePlan) string {
	var names []string
	for _, a := range []struct{ name, old, now string }{
		{"name", saved.Patch.Name, now.Patch.Name},
		{"version", saved.Patch.Version, now.Patch.Version},
		{"comment", saved.Patch.Comment, now.Patch.Comment},
		{"output", saved.Patch.Output, now.Patch.Output},
		{"encrypt", saved.Patch.Encrypt.String(), now.Patch.Encrypt.String()},
		{"address", saved.Address, now.Address},
		{"root_definition", saved.RootDefinitionFile, now.RootDefinitionFile},
	} {
		if a.old != a.now {
			names = append(names, a.name)
		}
	}
	return shortList(names)
}

// staleParents says in which way the parents are others.
func staleParents(saved, now *SitePlan) string {
	subject := fmt.Sprintf("the parent of site %q: ", now.Name)
	switch {
	case len(saved.Parents) == 0:
		return subject + fmt.Sprintf("%s, where the plan makes an initial patch", parentList(now.Parents))
	case len(now.Parents) == 0:
		return subject + fmt.Sprintf("%s is gone", parentList(saved.Parents))
	case slices.EqualFunc(saved.Parents, now.Parents, func(a, b patch.ParentRef) bool { return a.ID == b.ID }):
		return subject + fmt.Sprintf("%s has another description", parentList(now.Parents))
	}
	return subject + fmt.Sprintf("%s, where the plan has %s", parentList(now.Parents), parentList(saved.Parents))
}

func parentList(parents []patch.ParentRef) string {
	var ids []string
	for _, p := range parents {
		ids = append(ids, p.ID)
	}
	return shortList(ids)
}
