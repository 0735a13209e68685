package main

import (
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
	p := patchFile(ts, args[1])
	defer p.Close()
	n := slices.IndexFunc(plan.Sites, func(s *planner.SitePlan) bool { return s.Name == p.Description.SiteName })
	if n < 0 {
		ts.Fatalf("the plan knows no site %q", p.Description.SiteName)
	}
	site := plan.Sites[n]
	st, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if !site.Size.Exact || site.Size.Patch != st.Size() {
		ts.Fatalf("the plan says %d bytes, exact: %v; the patch has %d", site.Size.Patch, site.Size.Exact, st.Size())
	}
	travel := make(map[digest.Digest]int64)
	for _, c := range site.Images {
		plannedImage(ts, c, p, travel)
	}
	plannedLayers(ts, site, p, travel)
}

// plannedImage compares one image, and notes its layers that travel.
func plannedImage(ts *testscript.TestScript, c planner.ImageChange, p *patch.Reader, travel map[digest.Digest]int64) {
	id, has := p.Description.ImageMap[c.Name]
	if has == (c.Change == planner.ChangeRemove) {
		ts.Fatalf("image %q: the plan says %s, in the patch: %v", c.Name, c.Change, has)
	}
	if c.Made() && id != c.NewID {
		ts.Fatalf("image %q has id %s; the plan says %q", c.Name, id, c.NewID)
	}
	for _, l := range c.Layers {
		if l.Change == planner.ChangeCreate {
			travel[l.DiffID] = l.Size
		}
	}
}

func plannedLayers(ts *testscript.TestScript, site *planner.SitePlan, p *patch.Reader, travel map[digest.Digest]int64) {
	var sum int64
	for id, l := range layersByID(p.Description) {
		size, planned := travel[id]
		if p.Has(l.Digest) != planned || planned && size != l.Size {
			ts.Fatalf("layer %s (%s) of %d bytes is in the patch: %v; the plan says %v, %d bytes", id, l.CreatedBy, l.Size, p.Has(l.Digest), planned, size)
		}
		if planned {
			sum += l.Size
		}
	}
	if sum != site.Size.NewLayers || len(travel) != len(p.Description.Flotobuild.Transport) {
		ts.Fatalf("%d layers of %d bytes travel; the plan says %d of %d", len(p.Description.Flotobuild.Transport), sum, len(travel), site.Size.NewLayers)
	}
}
