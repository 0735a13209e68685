package planner

import (
	"slices"
	"strings"

	"github.com/flotobuild/flotobuild/patch"
)

// reasons says why the image has to be made: the first parent that lacks it
// counts. A nil image is one that the Desired does not describe.
func (d *differ) reasons(parents []*patch.Description, name string, img *Image) []Reason {
	if img == nil {
		return []Reason{{Input: InputNew}}
	}
	for _, p := range parents {
		old := d.indexes.of(p).byName[name]
		if old == nil {
			return []Reason{{Input: InputNew}}
		}
		if !same(old, img) {
			return differences(old, img)
		}
	}
	if len(parents) == 0 {
		return []Reason{{Input: InputNew}}
	}
	// Every parent has the inputs, but not the same result.
	has := d.indexes.of(parents[0]).byName[name]
	for _, p := range parents[1:] {
		if id := p.ImageMap[name]; id != has.ID {
			return []Reason{{Input: "image", Old: id.String(), New: has.ID.String()}}
		}
	}
	return nil
}

// differences lists the inputs that differ between two images that are not the
// same.
func differences(old *patch.Image, img *Image) []Reason {
	if old.Fingerprint == nil {
		return []Reason{{Input: InputFingerprint, New: img.Fingerprint.Digest.String()}}
	}
	var out []Reason
	for name, v := range img.Fingerprint.Inputs {
		if was, ok := old.Fingerprint.Inputs[name]; !ok || was != v {
			out = append(out, Reason{Input: name, Old: was, New: v})
		}
	}
	for name, was := range old.Fingerprint.Inputs {
		if _, ok := img.Fingerprint.Inputs[name]; !ok {
			out = append(out, Reason{Input: name, Old: was})
		}
	}
	if len(out) > 0 {
		return sortReasons(oneDockerfile(out, img))
	}
	if was, is := strings.Join(platformsOf(old), ","), strings.Join(img.Platforms, ","); was != is && img.Kind != KindSource {
		return []Reason{{Input: "platform", Old: was, New: is}}
	}
	return []Reason{{Input: InputFingerprint, Old: old.Fingerprint.Digest.String(), New: img.Fingerprint.Digest.String()}}
}

// oneDockerfile leaves out that the Dockerfile changed as a file of the context
// where it is named as the Dockerfile anyway.
func oneDockerfile(reasons []Reason, img *Image) []Reason {
	if img.Build == nil || !slices.ContainsFunc(reasons, func(r Reason) bool { return r.Input == "dockerfile" }) {
		return reasons
	}
	return slices.DeleteFunc(reasons, func(r Reason) bool { return r.Input == "context:"+img.Build.Dockerfile })
}
