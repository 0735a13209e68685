package relate

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/store"
)

// FindImage gives the image of a patch by its name or address.
func FindImage(d *patch.Description, name string) (*patch.Image, error) {
	var names []string
	for i := range d.Flotobuild.Images {
		img := &d.Flotobuild.Images[i]
		if img.Name == name || img.Address == name {
			return img, nil
		}
		names = append(names, img.Name)
	}
	return nil, fmt.Errorf("patch %q requires no image %q; it requires %s", d.ID, name, strings.Join(names, ", "))
}

// Platform gives the manifest of an image for a platform, such as linux/arm64;
// "" is for images that have one only.
func Platform(i *patch.Image, platform string) (*patch.Manifest, error) {
	var names []string
	for n := range i.Manifests {
		m := &i.Manifests[n]
		if m.Platform == platform || platform == "" && len(i.Manifests) == 1 {
			return m, nil
		}
		names = append(names, m.Platform)
	}
	if platform == "" {
		return nil, fmt.Errorf("image %q is for %s: choose one platform", i.Name, strings.Join(names, ", "))
	}
	return nil, fmt.Errorf("image %q is not for %q, only for %s", i.Name, platform, strings.Join(names, ", "))
}

// Layout writes an image of the patch that d describes as an OCI image layout,
// with all of its platforms. dir must not exist or be empty.
func (h *Hand) Layout(ctx context.Context, d *patch.Description, i *patch.Image, dir string) error {
	bare := *i
	bare.Cache = nil
	blobs := patch.Blobs([]patch.Image{bare})
	if err := h.check(ctx, d, blobs); err != nil {
		return err
	}
	return atomicfile.NewFolder(dir, func(root *os.Root) error {
		s, err := store.Create(root.Name())
		if err != nil {
			return err
		}
		for _, b := range blobs {
			if err := h.copyBlob(ctx, s, b); err != nil {
				return err
			}
		}
		top := i.Descriptor
		top.Annotations = maps.Clone(top.Annotations)
		if top.Annotations == nil {
			top.Annotations = make(map[string]string)
		}
		top.Annotations[ocispec.AnnotationRefName] = i.Name
		index, _ := store.NewIndex([]ocispec.Descriptor{top})
		return root.WriteFile(ocispec.ImageIndexFile, index, 0o644)
	})
}

func (h *Hand) copyBlob(ctx context.Context, s *store.Store, d ocispec.Descriptor) error {
	b, err := h.Blob(ctx, d.Digest)
	if err != nil {
		return err
	}
	r := stream(b)
	defer r.Close()
	return s.Put(ctx, d, r)
}

// Archive writes one platform of an image as a tar file that docker load takes.
// path must not exist. tag names the image; "" leaves it without a name.
func (h *Hand) Archive(ctx context.Context, d *patch.Description, m *patch.Manifest, tag, path string) error {
	needed := []ocispec.Descriptor{m.Config}
	for _, l := range m.Layers {
		needed = append(needed, l.Descriptor())
	}
	slices.SortFunc(needed, func(a, b ocispec.Descriptor) int { return strings.Compare(string(a.Digest), string(b.Digest)) })
	needed = slices.CompactFunc(needed, func(a, b ocispec.Descriptor) bool { return a.Digest == b.Digest })
	if err := h.check(ctx, d, needed); err != nil {
		return err
	}
	f, err := atomicfile.Create(filepath.Dir(path), 0o666)
	if err != nil {
		return err
	}
	defer f.Abort()
	a := newArchive(f, h, d.CreationDate.Time)
	if err := a.write(ctx, m, tag); err != nil {
		return fmt.Errorf("cannot write %q: %w", path, err)
	}
	return f.Publish(path)
}
