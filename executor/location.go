package executor

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

// A step is an instruction of a Dockerfile.
type step struct {
	keyword string // RUN, COPY, …
	line    int    // 1-based
	text    string // the first line as it is written
	reads   []string
	alone   bool // see planner.Step for this and reads
}

// locate finds for each layer the instruction that made it. Layers and
// instructions are in the same order, so they are matched from the end, by
// keyword; what stands in the base is left without a place.
func (r *run) locate(img *planner.Image, layers []patch.Layer) []step {
	found := make([]step, len(layers))
	if img.Build == nil {
		return found
	}
	b, err := os.ReadFile(r.path(path.Join(img.Build.Context, img.Build.Dockerfile)))
	if err != nil {
		return found
	}
	steps := dockerfileSteps(b, img.Build)
	for i, l := range slices.Backward(layers) {
		keyword, _, _ := strings.Cut(l.CreatedBy, " ")
		n := len(steps) - 1
		for n >= 0 && steps[n].keyword != keyword {
			n--
		}
		if n < 0 {
			break
		}
		found[i], steps = steps[n], steps[:n]
	}
	return found
}

// place names a line of the Dockerfile of an image, relative to the project.
func place(b *planner.Build, line int) string {
	return fmt.Sprintf("%s:%d", path.Join(b.Context, b.Dockerfile), line)
}

// origins says where the layers of the images that this run made come from: by
// address and platform, in the order of the layers.
func (r *run) origins() map[string]map[string][]planner.Step {
	out := make(map[string]map[string][]planner.Step)
	for _, img := range r.plan.Images { // bases first
		m := r.made[img.Address]
		if m == nil {
			continue
		}
		below := r.stepsBelow(m, out)
		out[img.Address] = make(map[string][]planner.Step)
		for _, p := range m.platforms {
			out[img.Address][p.platform] = r.originsOf(m, p.layers, below)
		}
	}
	return out
}

// stepsBelow gives the steps of what an image is built on, by diff id.
func (r *run) stepsBelow(m *made, known map[string]map[string][]planner.Step) map[digest.Digest]planner.Step {
	below := make(map[digest.Digest]planner.Step)
	for _, address := range m.plan.DependsOn {
		base := r.made[address]
		if base == nil {
			continue
		}
		for _, p := range base.platforms {
			for n, l := range p.layers {
				s := known[address][p.platform][n]
				below[l.DiffID] = planner.Step{Place: s.Place, Text: s.Text, Base: true}
			}
		}
	}
	return below
}

func (r *run) originsOf(m *made, layers []patch.Layer, below map[digest.Digest]planner.Step) []planner.Step {
	out := make([]planner.Step, len(layers))
	for n, s := range r.locate(&m.plan.Image, layers) {
		if s.line > 0 {
			out[n] = planner.Step{Place: place(m.plan.Build, s.line), Text: s.text, Alone: s.alone, Reads: s.reads}
		} else {
			out[n] = below[layers[n].DiffID]
		}
	}
	return out
}
