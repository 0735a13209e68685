package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/store"
)

// openLayout opens the image of a layout that is meant.
func openLayout(ctx context.Context, src store.Source, all []ocispec.Descriptor, c Choice, form Form) (*Image, error) {
	found := slices.DeleteFunc(slices.Clone(all), func(d ocispec.Descriptor) bool {
		return !IsImage(d) || c.Name != "" && !named(d.Annotations[ocispec.AnnotationRefName], c.Name) || c.Digest != "" && d.Digest != c.Digest
	})
	desc, err := only(found, "image", func(d ocispec.Descriptor) string {
		return d.Annotations[ocispec.AnnotationRefName] + "@" + d.Digest.String()
	})
	if err != nil {
		return nil, err
	}
	if store.IsIndex(desc.MediaType) {
		desc, err = choosePlatform(ctx, src, desc, c.Platform)
		if err != nil {
			return nil, err
		}
	}
	raw, err := store.ReadBlob(ctx, src, desc)
	if err != nil {
		return nil, err
	}
	return fromManifest(ctx, src, desc, raw, form)
}

// dockerConfig is the media type of configs of images that Docker made.
const dockerConfig = "application/vnd.docker.container.image.v1+json"

// IsImage tells images from artifacts and attestations beside them. Some tools
// give images the type of their config.
func IsImage(d ocispec.Descriptor) bool {
	typed := d.ArtifactType == "" || d.ArtifactType == ocispec.MediaTypeImageConfig || d.ArtifactType == dockerConfig
	return typed && (d.Platform == nil || d.Platform.OS != "unknown")
}

// named compares the last part of a name, as tools write both "1.0" and
// "registry.example/app:1.0".
func named(name, tag string) bool { return name == tag || strings.HasSuffix(name, ":"+tag) }

// only gives the one element; several that are the same blob count as one.
func only(found []ocispec.Descriptor, noun string, name func(ocispec.Descriptor) string) (ocispec.Descriptor, error) {
	var names []string
	for _, d := range found {
		if d.Digest != found[0].Digest {
			names = append(names, name(d))
		}
	}
	switch {
	case len(found) == 0:
		return ocispec.Descriptor{}, fmt.Errorf("it has no such %s", noun)
	case len(names) > 0:
		return ocispec.Descriptor{}, fmt.Errorf("it has several of that %s, choose one: %s", noun, strings.Join(append(names, name(found[0])), ", "))
	}
	return found[0], nil
}

func choosePlatform(ctx context.Context, src store.Source, desc ocispec.Descriptor, platform string) (ocispec.Descriptor, error) {
	index, err := store.ReadIndex(ctx, src, desc)
	if err != nil {
		return desc, err
	}
	found := slices.DeleteFunc(index.Manifests, func(d ocispec.Descriptor) bool {
		return !IsImage(d) || store.IsIndex(d.MediaType) || platform != "" && platformOf(d) != platform
	})
	return only(found, "platform", platformOf)
}

func platformOf(d ocispec.Descriptor) string {
	if d.Platform == nil {
		return "unknown"
	}
	return platforms.Format(platforms.Normalize(*d.Platform))
}

// fromManifest opens the image of a manifest.
func fromManifest(ctx context.Context, src store.Source, desc ocispec.Descriptor, raw []byte, form Form) (*Image, error) {
	var m ocispec.Manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("cannot parse image manifest %q: %w", desc.Digest, err)
	}
	config, err := store.ReadBlob(ctx, src, m.Config)
	if err != nil {
		return nil, fmt.Errorf("cannot read image config: %w", err)
	}
	ids, err := diffIDs(config)
	if err != nil {
		return nil, err
	}
	if len(ids) != len(m.Layers) {
		return nil, fmt.Errorf("its config has %d layers, and its manifest %d", len(ids), len(m.Layers))
	}
	i := &Image{Form: form, Config: config, ID: m.Config, Manifest: raw, blobs: src, described: plainDescriptor(desc)}
	for n, l := range m.Layers {
		if err := verify.CheckDigest(l.Digest); err != nil {
			return nil, err
		}
		i.Layers = append(i.Layers, Layer{DiffID: ids[n], Blob: l, open: func(ctx context.Context) (store.Blob, error) {
			return src.Blob(ctx, l.Digest)
		}})
	}
	return i, nil
}

// plainDescriptor leaves out what an index says besides.
func plainDescriptor(d ocispec.Descriptor) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: d.MediaType, Digest: d.Digest, Size: d.Size}
}

// diffIDs reads the layers of a config.
func diffIDs(config []byte) ([]digest.Digest, error) {
	var c ocispec.Image
	if err := json.Unmarshal(config, &c); err != nil {
		return nil, fmt.Errorf("cannot parse image config: %w", err)
	}
	if c.RootFS.Type != "layers" {
		return nil, errors.New("its config names no layers: it is no container image")
	}
	for _, d := range c.RootFS.DiffIDs {
		if err := verify.CheckDigest(d); err != nil {
			return nil, fmt.Errorf("its config names a layer wrongly: %w", err)
		}
	}
	return c.RootFS.DiffIDs, nil
}
