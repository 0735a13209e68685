package facts

import (
	"encoding/json"
	"path"
	"slices"

	"github.com/containerd/platforms"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/planner"
)

// SourceSize implements planner.Sizer for OCI layouts: their manifests are at
// hand. What is wrong with one is found where the image is fetched.
func (w *Workspace) SourceSize(ref string, d digest.Digest, wanted []string) int64 {
	if !planner.IsLayout(ref) || d.Validate() != nil {
		return 0
	}
	dir, _, _, err := planner.SplitLayout(ref)
	if err != nil {
		return 0
	}
	layers := make(map[digest.Digest]int64)
	for _, m := range w.manifests(dir, d, wanted) {
		for _, l := range m.Layers {
			layers[l.Digest] = l.Size
		}
	}
	var sum int64
	for _, n := range layers {
		if n < 0 || n > mostBytes-sum {
			return 0 // a layout may say anything
		}
		sum += n
	}
	return sum
}

// mostBytes is more than any image has.
const mostBytes = 1 << 50

// manifestOrIndex is a document of a layout, whichever of the two it is.
type manifestOrIndex struct {
	Manifests []ocispec.Descriptor `json:"manifests"`
	Layers    []ocispec.Descriptor `json:"layers"`
}

// manifests reads the manifest of that digest, or those of an index for the
// wanted platforms, as far as they can be read.
func (w *Workspace) manifests(dir string, d digest.Digest, wanted []string) []manifestOrIndex {
	top, ok := w.blob(dir, d)
	if !ok || len(top.Manifests) == 0 {
		return []manifestOrIndex{top}
	}
	var out []manifestOrIndex
	for _, desc := range top.Manifests {
		if desc.Platform == nil || desc.Digest.Validate() != nil ||
			!slices.Contains(wanted, platforms.FormatAll(platforms.Normalize(*desc.Platform))) {
			continue
		}
		if m, ok := w.blob(dir, desc.Digest); ok {
			out = append(out, m)
		}
	}
	return out
}

func (w *Workspace) blob(dir string, d digest.Digest) (m manifestOrIndex, ok bool) {
	data, err := w.text(path.Join(dir, ocispec.ImageBlobsDir, d.Algorithm().String(), d.Encoded()))
	return m, err == nil && json.Unmarshal(data, &m) == nil
}
