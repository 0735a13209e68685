package main

import (
	"fmt"
	"os"
	"slices"

	"github.com/opencontainers/go-digest"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

// cmdAsPlanned holds a patch to the plan that was made with a build: ids of its
// images, every layer that travels, and the bytes of the file. PLAN is the
// output of plan -build -json.
func cmdAsPlanned(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "asplanned PLAN PATCH")
	plan, err := planner.Decode([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	ts.Check(asPlanned(plan, ts.MkAbs(args[1])))
}

func asPlanned(plan *planner.Plan, file string) error {
	p, err := patch.Open(file)
	if err != nil {
		return err
	}
	defer p.Close()
	n := slices.IndexFunc(plan.Sites, func(s *planner.SitePlan) bool { return s.Name == p.Description.SiteName })
	if n < 0 {
		return fmt.Errorf("the plan knows no site %q", p.Description.SiteName)
	}
	site := plan.Sites[n]
	st, err := os.Stat(file)
	if err != nil {
		return err
	}
	if !site.Size.Exact || site.Size.Patch != st.Size() {
		return fmt.Errorf("the plan says %d bytes, exact: %v; the patch has %d", site.Size.Patch, site.Size.Exact, st.Size())
	}
	travel := make(map[digest.Digest]int64)
	for _, c := range site.Images {
		if err := plannedImage(c, p, travel); err != nil {
			return err
		}
	}
	return plannedLayers(site, p, travel)
}

// plannedImage compares one image, and notes its layers that travel.
func plannedImage(c planner.ImageChange, p *patch.Reader, travel map[digest.Digest]int64) error {
	id, has := p.Description.ImageMap[c.Name]
	if has == (c.Change == planner.ChangeRemove) {
		return fmt.Errorf("image %q: the plan says %s, in the patch: %v", c.Name, c.Change, has)
	}
	if c.Made() && id != c.NewID {
		return fmt.Errorf("image %q has id %s; the plan says %q", c.Name, id, c.NewID)
	}
	for _, l := range c.Layers {
		if l.Change == planner.ChangeCreate {
			travel[l.DiffID] = l.Carried()
		}
	}
	return nil
}

func plannedLayers(site *planner.SitePlan, p *patch.Reader, travel map[digest.Digest]int64) error {
	var sum int64
	deltas := p.Description.DeltaSizes()
	for id, l := range layersByID(p.Description) {
		size, planned := travel[id]
		has, changed := deltas[id]
		if !changed {
			has = l.Size
		}
		if (changed || p.Has(l.Digest)) != planned || planned && size != has {
			return fmt.Errorf("layer %s (%s) of %d bytes is in the patch: %v, as a delta: %v; the plan says %v, %d bytes", id, l.CreatedBy, has, p.Has(l.Digest), changed, planned, size)
		}
		if planned {
			sum += has
		}
	}
	if n := len(p.Description.Flotobuild.Transport); sum != site.Size.NewLayers || len(travel) != n {
		return fmt.Errorf("%d layers of %d bytes travel; the plan says %d of %d", n, sum, len(travel), site.Size.NewLayers)
	}
	return nil
}
