package executor

import (
	"bytes"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

// A step is an instruction of a Dockerfile.
type step struct {
	keyword string // RUN, COPY, …
	line    int    // 1-based
	text    string // the first line as it is written
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
	steps := dockerfileSteps(b, img.Build.Target)
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

// dockerfileSteps lists the instructions that lead to the target stage, the
// last one when it is empty, with those of the stages that it begins from. A
// Dockerfile that cannot be parsed has none: it has been built, so that the
// builder knows more than this.
func dockerfileSteps(dockerfile []byte, target string) []step {
	parsed, err := parser.Parse(bytes.NewReader(dockerfile))
	if err != nil {
		return nil
	}
	stages, _, err := instructions.Parse(parsed.AST, nil)
	if err != nil || len(stages) == 0 {
		return nil
	}
	n := len(stages) - 1
	if i, ok := instructions.HasStage(stages, target); ok && target != "" {
		n = i
	}
	lines := strings.Split(string(dockerfile), "\n")
	var steps []step
	for n >= 0 {
		steps = append(stageSteps(stages[n], lines), steps...)
		before, ok := instructions.HasStage(stages[:n], stages[n].BaseName)
		if !ok {
			break
		}
		n = before
	}
	return steps
}

func stageSteps(s instructions.Stage, lines []string) []step {
	var steps []step
	for _, c := range s.Commands {
		loc := c.Location()
		if len(loc) == 0 || loc[0].Start.Line > len(lines) {
			continue
		}
		line := loc[0].Start.Line
		steps = append(steps, step{strings.ToUpper(c.Name()), line, strings.TrimSpace(lines[line-1])})
	}
	return steps
}
