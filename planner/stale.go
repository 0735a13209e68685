package planner

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/flotobuild/flotobuild/patch"
)

// Stale compares a saved plan with one made now and lists what has changed in
// between, as phrases for a message. Nil means that the saved plan holds.
//
// What the two were made from is compared, and what they decide. What a build
// gave is not: a plan made now does not know it. Nor is the place where a
// parent's file was found; its digest counts.
func Stale(saved, now *Plan) ([]string, error) {
	if saved.ToolVersion != now.ToolVersion {
		return []string{fmt.Sprintf("the version of flotobuild: %s, the plan was made by %s", now.ToolVersion, cmp.Or(saved.ToolVersion, "an unknown one"))}, nil
	}
	if foreign(saved, now) {
		return []string{fmt.Sprintf("the project: the plan is for %s, and the configuration here has none of them", siteList(saved))}, nil
	}
	out := append(staleImages(saved, now), staleSites(saved, now)...)
	out = append(out, staleEnvelopes(saved, now)...)
	if saved.Project != now.Project {
		out = append(out, staleProject(saved.Project, now.Project)...)
	}
	if !equal(saved.Engine, now.Engine) {
		out = append(out, "the engine's settings")
	}
	if !slices.Equal(saved.Targets, now.Targets) || !slices.Equal(saved.Excludes, now.Excludes) {
		out = append(out, "the selection of sites")
	}
	if len(out) > 0 || saved.exact() {
		return out, nil
	}
	same, err := sameDecisions(saved, now)
	if err == nil && !same {
		out = append(out, "what the plan makes of the same inputs")
	}
	return out, err
}

// exact says that a build has refined the plan.
func (p *Plan) exact() bool {
	return slices.ContainsFunc(p.Sites, func(s *SitePlan) bool { return s.Size.Exact })
}

// sameDecisions compares what two plans with the same images and sites decide.
func sameDecisions(a, b *Plan) (bool, error) {
	x, y := *a, *b
	x.Images, x.Sites, y.Images, y.Sites = nil, nil, nil, nil
	x.LockChanges, y.LockChanges = nil, nil // done when a plan is made; what they lead to are inputs
	if same, err := jsonEqual(x, y); err != nil || !same || len(a.Images) != len(b.Images) || len(a.Sites) != len(b.Sites) {
		return false, err
	}
	for n := range a.Images {
		if same, err := jsonEqual(a.Images[n], b.Images[n]); err != nil || !same {
			return false, err
		}
	}
	for n := range a.Sites {
		if same, err := jsonEqual(a.Sites[n].decided(), b.Sites[n].decided()); err != nil || !same {
			return false, err
		}
	}
	return true, nil
}

// decided is a site's plan without what depends on where it was made, and
// without estimates.
func (s *SitePlan) decided() *SitePlan {
	out := *s
	out.ParentFiles = nil
	out.Size = Size{Conf: s.Size.Conf, UnknownImages: s.Size.UnknownImages}
	return &out
}

// jsonEqual compares values by their JSON form, in which nil and empty are one
// where the plan's file makes them one.
func jsonEqual(a, b any) (bool, error) {
	if reflect.DeepEqual(a, b) {
		return true, nil
	}
	x, errx := json.Marshal(a)
	y, erry := json.Marshal(b)
	return string(x) == string(y), errors.Join(errx, erry)
}

// equal is jsonEqual, where what cannot be compared is not equal.
func equal(a, b any) bool {
	same, err := jsonEqual(a, b)
	return same && err == nil
}

// foreign says that the two have no site in common.
func foreign(saved, now *Plan) bool {
	if len(saved.Sites) == 0 {
		return false
	}
	for _, s := range now.Sites {
		if slices.ContainsFunc(saved.Sites, func(o *SitePlan) bool { return o.Name == s.Name }) {
			return false
		}
	}
	return true
}

func siteList(p *Plan) string {
	var names []string
	for _, s := range p.Sites {
		names = append(names, fmt.Sprintf("%q", s.Name))
	}
	if len(names) == 1 {
		return "the site " + names[0]
	}
	return "the sites " + shortList(names)
}

// shortList joins names, not too many.
func shortList(names []string) string {
	const most = 3
	if n := len(names) - most; n > 0 {
		names = append(slices.Clone(names[:most]), fmt.Sprintf("%d more", n))
	}
	return strings.Join(names, ", ")
}

func staleProject(saved, now Project) []string {
	if saved.Revision != now.Revision {
		return []string{fmt.Sprintf("the state of the sources: %s, the plan was made at %s",
			cmp.Or(now.Revision, "not under git"), cmp.Or(saved.Revision, "a folder without git"))}
	}
	return []string{"the state of the sources"}
}

func staleImages(saved, now *Plan) []string {
	old := make(map[string]*ImagePlan)
	for _, i := range saved.Images {
		old[i.Address] = i
	}
	var out []string
	for _, i := range now.Images {
		o := old[i.Address]
		delete(old, i.Address)
		switch {
		case o == nil:
			out = append(out, fmt.Sprintf("%s, which is new", i.Address))
		case o.Fingerprint.Digest != i.Fingerprint.Digest:
			out = append(out, fmt.Sprintf("inputs of %s: %s", i.Address, changedInputs(o.Fingerprint, i.Fingerprint)))
		case !equal(o.Image, i.Image):
			out = append(out, fmt.Sprintf("settings of %s", i.Address))
		}
	}
	for _, i := range saved.Images {
		if old[i.Address] != nil {
			out = append(out, fmt.Sprintf("%s, which is no longer needed", i.Address))
		}
	}
	return out
}

func changedInputs(saved, now patch.Fingerprint) string {
	names := make(map[string]bool)
	for _, pair := range [][2]map[string]string{{saved.Inputs, now.Inputs}, {now.Inputs, saved.Inputs}} {
		for name, value := range pair[0] {
			if other, ok := pair[1][name]; !ok || other != value {
				names[name] = true
			}
		}
	}
	if len(names) == 0 {
		return "all of them"
	}
	return shortList(slices.Sorted(maps.Keys(names)))
}

// changedFiles names the files in which two listings differ, not too many.
func changedFiles(before, now []File) string {
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
	return shortList(append(names, slices.Sorted(maps.Keys(old))...))
}
