package web

import (
	"context"
	"fmt"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/site"
)

// checkPatch reads a patch of the site once more, and logs what is wrong.
func (s *Server) checkPatch(ctx context.Context, id string, t *task) (*site.Checked, error) {
	c, err := s.site.Check(ctx, site.CheckOptions{Patches: []string{id}, Progress: func(done, total int64) {
		t.Progress(Progress{"reading blobs and files, and comparing digests", done, total})
	}})
	if err != nil {
		return nil, err
	}
	files := 0
	for _, d := range c.Damage {
		t.logf("%s", d.Error)
		if d.File != "" {
			files++
		}
	}
	switch {
	case files > 0:
		// An import takes the files of a patch that is there for good.
		return c, fmt.Errorf("%d of %d blobs and files are damaged or missing: remove the folder patches/%s from the store, and import the patch again", len(c.Damage), c.Blobs+c.Files, id)
	case len(c.Damage) > 0:
		return c, fmt.Errorf("%d of %d blobs and files are damaged or missing: import the patch again", len(c.Damage), c.Blobs+c.Files)
	}
	t.logf("all is as it should be: %s", checkedText(c))
	return c, nil
}

func checkedText(c *site.Checked) string {
	return fmt.Sprintf("%s and %s with %s", count(c.Blobs, "blob"), count(c.Files, "file"), byteSize(c.Bytes))
}

// neededBlobs are the blobs that containers need, each once.
func neededBlobs(images []patch.Image) []ocispec.Descriptor {
	var out []ocispec.Descriptor
	seen := make(map[digest.Digest]bool)
	add := func(d ocispec.Descriptor) {
		if !seen[d.Digest] {
			seen[d.Digest] = true
			out = append(out, d)
		}
	}
	for _, i := range images {
		add(i.Descriptor)
		for _, m := range i.Manifests {
			add(m.Descriptor)
			add(m.Config)
			for _, l := range m.Layers {
				add(l.Descriptor())
			}
		}
	}
	return out
}
