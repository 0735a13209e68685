package patch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/store"
)

// CheckImages compares manifests, indexes and configs with what a description
// says of the images. src has all of them.
func CheckImages(ctx context.Context, src store.Source, images []Image) error {
	c := imageCheck{src, func(digest.Digest) bool { return true }}
	for _, i := range images {
		if err := c.image(ctx, i); err != nil {
			return fmt.Errorf("image %q: %w", i.Name, err)
		}
	}
	return nil
}

// CheckIndex compares the content of images/index.json with what a description
// says of the images, whose names and order it has.
func CheckIndex(content []byte, images []Image) error {
	got, err := parseIndex(content)
	if err != nil {
		return err
	}
	if len(got.Manifests) != len(images) {
		return fmt.Errorf("entry %q has %d images, and the description has %d", IndexEntry, len(got.Manifests), len(images))
	}
	for n, i := range images {
		if m := got.Manifests[n]; !same(m, i.Descriptor) || m.Annotations[ocispec.AnnotationRefName] != i.Name {
			return fmt.Errorf("entry %q does not agree with the description at image %q", IndexEntry, i.Name)
		}
	}
	return nil
}

func parseIndex(content []byte) (*ocispec.Index, error) {
	i := new(ocispec.Index)
	if err := json.Unmarshal(content, i); err != nil {
		return nil, fmt.Errorf("cannot parse entry %q: %w", IndexEntry, err)
	}
	return i, nil
}

// An imageCheck compares the documents that a source has with a description.
type imageCheck struct {
	src store.Source
	has func(digest.Digest) bool // what is not there is not compared
}

func same(a, b ocispec.Descriptor) bool {
	return a.Digest == b.Digest && a.Size == b.Size && a.MediaType == b.MediaType
}

func (c imageCheck) image(ctx context.Context, i Image) error {
	if store.IsIndex(i.Descriptor.MediaType) && c.has(i.Descriptor.Digest) {
		x, err := store.ReadIndex(ctx, c.src, i.Descriptor)
		if err != nil {
			return err
		}
		for _, m := range i.Manifests {
			if !slices.ContainsFunc(x.Manifests, func(d ocispec.Descriptor) bool { return same(d, m.Descriptor) }) {
				return fmt.Errorf("its index does not name manifest %q", m.Descriptor.Digest)
			}
		}
	}
	for _, m := range i.Manifests {
		if err := c.manifest(ctx, m); err != nil {
			return fmt.Errorf("manifest %q: %w", m.Descriptor.Digest, err)
		}
	}
	return nil
}

func (c imageCheck) manifest(ctx context.Context, want Manifest) error {
	if c.has(want.Descriptor.Digest) {
		got, err := store.ReadManifest(ctx, c.src, want.Descriptor)
		if err != nil {
			return err
		}
		if !same(got.Config, want.Config) {
			return fmt.Errorf("it names config %q, and the description %q", got.Config.Digest, want.Config.Digest)
		}
		if !slices.EqualFunc(got.Layers, want.Layers, func(d ocispec.Descriptor, l Layer) bool { return same(d, l.Descriptor()) }) {
			return errors.New("its layers are not those of the description")
		}
	}
	if !c.has(want.Config.Digest) {
		return nil
	}
	config, err := store.ReadConfig(ctx, c.src, want.Config)
	if err != nil {
		return err
	}
	if !slices.EqualFunc(config.RootFS.DiffIDs, want.Layers, func(d digest.Digest, l Layer) bool { return d == l.DiffID }) {
		return fmt.Errorf("the diff ids of config %q are not those of the description", want.Config.Digest)
	}
	return nil
}
