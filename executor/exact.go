package executor

import (
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

// checkExact compares the images of a site with what its plan says of them,
// where the plan was made with a build. Nothing else than the plan says may be
// written.
func checkExact(s *planner.SitePlan, images []patch.Image) error {
	for _, c := range s.Images {
		i := slices.IndexFunc(images, func(i patch.Image) bool { return i.Name == c.Name })
		if c.NewID == "" || i < 0 || images[i].ID == c.NewID {
			continue
		}
		what := "another image than the plan says, of the same layers"
		if n := otherLayers(c, images[i]); n > 0 {
			what = fmt.Sprintf("other layers than the plan says, %d of them", n)
		}
		return fmt.Errorf("the build of %s gave %s: %s instead of %s; a step of its Dockerfile is not reproducible, "+
			"and the engine that planned is another one or has lost its cache: plan and apply on one engine, or plan without -build",
			c.Address, what, images[i].ID, c.NewID)
	}
	return nil
}

// otherLayers counts the layers that the plan does not have.
func otherLayers(c planner.ImageChange, img patch.Image) int {
	planned := make(map[digest.Digest]bool)
	for _, l := range c.Layers {
		planned[l.DiffID] = true
	}
	n := 0
	for id := range layerSet([]patch.Image{img}) {
		if !planned[id] {
			n++
		}
	}
	return n
}
