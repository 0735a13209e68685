package site

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/patch"
)

// maxIndex bounds the images/index.json of a patch, in bytes.
const maxIndex = 16 << 20

// RefName is the name of an image in the index of the store.
func RefName(image, patchID string) string { return image + ":" + patchID }

// repairIndex is rebuildIndex for an index that may be right: it is not written
// then.
func (s *Site) repairIndex(ctx context.Context) error {
	all, err := s.allImages()
	if err != nil {
		return err
	}
	if now, err := s.blobs.Images(); err == nil && sameIndex(now, all) {
		return nil
	}
	return s.blobs.ReplaceImages(ctx, all)
}

// rebuildIndex makes index.json name the images of the patches that are listed,
// and no others.
func (s *Site) rebuildIndex(ctx context.Context) error {
	all, err := s.allImages()
	if err != nil {
		return err
	}
	return s.blobs.ReplaceImages(ctx, all)
}

// allImages gives the images of all patches.
func (s *Site) allImages() ([]ocispec.Descriptor, error) {
	records, err := s.records()
	if err != nil {
		return nil, err
	}
	var all []ocispec.Descriptor
	for _, r := range records {
		images, err := s.patchIndex(r.ID)
		if err != nil {
			return nil, err
		}
		all = append(all, images...)
	}
	return all, nil
}

// patchIndex gives the images of a patch as the store's index has them. Where
// the patch's own index is damaged, its description, which takes longer to read,
// tells as much: the store must not depend on a small file of one patch.
func (s *Site) patchIndex(id string) ([]ocispec.Descriptor, error) {
	dir, err := s.patchPath(id)
	if err != nil {
		return nil, err
	}
	images, err := readIndex(dir)
	if err != nil {
		images, err = describedIndex(dir)
	}
	if err != nil {
		return nil, err
	}
	for n := range images {
		m := &images[n]
		m.Annotations = maps.Clone(m.Annotations)
		m.Annotations[ocispec.AnnotationRefName] = RefName(m.Annotations[ocispec.AnnotationRefName], id)
	}
	return images, nil
}

// readIndex reads the images/index.json in a patch's folder.
func readIndex(dir string) ([]ocispec.Descriptor, error) {
	name := filepath.Join(dir, filepath.FromSlash(patch.IndexEntry))
	b, err := readFile(name, maxIndex)
	if err != nil {
		return nil, err
	}
	var i ocispec.Index
	if err := json.Unmarshal(b, &i); err != nil {
		return nil, fmt.Errorf("cannot parse %q: %w", name, err)
	}
	for _, m := range i.Manifests {
		if m.Annotations[ocispec.AnnotationRefName] == "" {
			return nil, fmt.Errorf("%q is damaged: image %q has no name", name, m.Digest)
		}
	}
	return i.Manifests, nil
}

// describedIndex gives what images/index.json should have.
func describedIndex(dir string) ([]ocispec.Descriptor, error) {
	h, err := readHeader(dir)
	if err != nil {
		return nil, err
	}
	var out []ocispec.Descriptor
	for _, i := range h.Description.Flotobuild.Images {
		m := i.Descriptor
		m.Annotations = maps.Clone(m.Annotations)
		if m.Annotations == nil {
			m.Annotations = make(map[string]string)
		}
		m.Annotations[ocispec.AnnotationRefName] = i.Name
		out = append(out, m)
	}
	return out, nil
}

// sameIndex compares names and digests, in whatever order.
func sameIndex(a, b []ocispec.Descriptor) bool {
	return maps.Equal(byName(a), byName(b)) && len(a) == len(b)
}

func byName(all []ocispec.Descriptor) map[string]string {
	out := make(map[string]string, len(all))
	for d := range slices.Values(all) {
		out[d.Annotations[ocispec.AnnotationRefName]] = string(d.Digest)
	}
	return out
}
