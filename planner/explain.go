package planner

import (
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/flotobuild/flotobuild/patch"
)

// An explainer says of the layers of one platform of an image why they are new.
type explainer struct {
	reasons []Reason        // of the image
	steps   []Step          // in the order of the layers
	old     map[string]bool // what made the layers of the parent's image; nil where it has none
	first   string          // cause of the first new layer
}

// oldSteps gives the steps of a parent's image, which may be nil.
func oldSteps(old *patch.Image, platform string) map[string]bool {
	if old == nil {
		return nil
	}
	for _, m := range old.Manifests {
		if p, err := normalizePlatform(m.Platform); err != nil || p != platform && m.Platform != platform {
			continue
		}
		steps := make(map[string]bool)
		for _, l := range m.Layers {
			steps[l.CreatedBy] = true
		}
		return steps
	}
	return nil
}

// explain fills in the causes of new layers; they come base first.
func (e *explainer) explain(layers []LayerChange) {
	for n := range layers {
		l := &layers[n]
		if l.Change != ChangeCreate {
			continue
		}
		var s Step
		if n < len(e.steps) {
			s = e.steps[n]
		}
		l.Cause, l.Step = s.Place, s.Text
		l.Reasons = e.own(l, s)
		if len(l.Reasons) == 0 && !s.Alone {
			l.Follows = e.first
		}
		if l.Cause == "" && len(l.Reasons) > 0 {
			l.Cause = l.Reasons[0].Input
		}
		if e.first == "" {
			e.first = l.Cause
		}
	}
}

// own gives the changed inputs of a layer's step; none where it follows another
// layer.
func (e *explainer) own(l *LayerChange, s Step) []Reason {
	// What has no counterpart is new as a whole.
	if all := e.ofKind(InputNew, InputFingerprint); len(all) > 0 {
		return all
	}
	if read := e.read(s); len(read) > 0 {
		return read
	}
	if s.Place == "" || s.Base {
		if base := e.ofKind("rootfs", "source", "image", "base"); len(base) > 0 {
			return base
		}
	}
	if p := e.ofKind("platform"); e.old == nil && len(p) > 0 {
		return p
	}
	if len(e.ofKind("dockerfile", "target", "arg")) > 0 && l.CreatedBy != "" && !e.old[l.CreatedBy] {
		return []Reason{{Input: InputStep, New: l.CreatedBy}}
	}
	if e.first != "" && !s.Alone {
		return nil
	}
	// Inputs that change steps without showing in what is known of them.
	return e.ofKind("dockerfile", "target", "secret", "image", "base")
}

// ofKind selects the reasons whose input is of one of the kinds.
func (e *explainer) ofKind(kinds ...string) []Reason {
	var out []Reason
	for _, r := range e.reasons {
		if kind, _, _ := strings.Cut(r.Input, ":"); slices.Contains(kinds, kind) {
			out = append(out, r)
		}
	}
	return out
}

// read selects the reasons that are inputs of the step.
func (e *explainer) read(s Step) []Reason {
	var out []Reason
	for _, r := range e.reasons {
		if slices.ContainsFunc(s.Reads, func(pattern string) bool { return reads(pattern, r.Input) }) {
			out = append(out, r)
		}
	}
	return out
}

// reads tells whether a pattern of Step.Reads stands for an input.
func reads(pattern, input string) bool {
	all := strings.HasSuffix(pattern, ":")
	return all && strings.HasPrefix(input, pattern) ||
		// A folder is one input where it has many entries.
		strings.HasPrefix(pattern, input+":") ||
		pattern == input || doublestar.MatchUnvalidated(pattern, input)
}
