package image

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/delta"
	"github.com/flotobuild/flotobuild/internal/strictjson"
	"github.com/flotobuild/flotobuild/internal/verify"
)

// MediaType is that of a [Description], and the type of the artifact around it.
const MediaType = "application/vnd.flotobuild.image-delta.v1+json"

// version is that of the descriptions that this package writes.
const version = 1

// Bounds of what a description may say.
const (
	maxLayers = 4096
	maxSize   = 1 << 44
)

// ErrMalformed says that a file is no delta of an image, or a damaged one.
var ErrMalformed = errors.New("malformed delta of an image")

// A Description says what a delta of an image makes out of what.
type Description struct {
	Version int `json:"version"`
	// Image is the new image's config, whose digest is the image id.
	Image ocispec.Descriptor `json:"image"`
	// Manifest is the new image's, nil where it has none: in docker archives.
	Manifest *ocispec.Descriptor `json:"manifest,omitempty"`
	// Bases are the layers that the old image must have.
	Bases []delta.Descriptor `json:"bases"`
	// Layers are those of the new image, base first.
	Layers []LayerDescription `json:"layers"`
}

// A Way is how a delta carries a layer.
type Way string

// The ways of layers.
const (
	Shared Way = "shared" // not at all: the old image has it
	Delta  Way = "delta"  // as what changed
	Whole  Way = "whole"  // packed
)

// A LayerDescription says how to come by a layer.
type LayerDescription struct {
	DiffID digest.Digest `json:"diffId"`
	Size   int64         `json:"size"` // uncompressed, in bytes
	Way    Way           `json:"way"`
	// Content is what the delta carries of it; nil for shared layers. That of a
	// whole layer is the layer as the manifest has it or in any compression.
	Content *ocispec.Descriptor `json:"content,omitempty"`
	// Recipe says how the layer is compressed for the manifest, as package deflate
	// stores it; empty where that is not known or needs none.
	Recipe []byte `json:"recipe,omitempty"`
}

// parseDescription reads and checks a description.
func parseDescription(b []byte) (*Description, error) {
	d := &Description{}
	err := strictjson.CheckKeys(b, map[string]bool{"annotations": true})
	if err == nil {
		err = json.Unmarshal(b, d)
	}
	if err == nil {
		err = d.check()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: its description: %w", ErrMalformed, err)
	}
	return d, nil
}

func (d *Description) check() error {
	if d.Version != version {
		return fmt.Errorf("version %d is unknown; a newer flotobuild may read it", d.Version)
	}
	for _, o := range d.documents() {
		if err := checkDescriptor(o.Digest, o.Size, maxDocument); err != nil {
			return err
		}
	}
	if len(d.Layers) > maxLayers || len(d.Bases) > maxLayers {
		return fmt.Errorf("it has more than %d layers", maxLayers)
	}
	for _, b := range d.Bases {
		if err := checkDescriptor(b.Digest, b.Size, maxSize); err != nil {
			return err
		}
	}
	for _, l := range d.Layers {
		if err := d.checkLayer(l); err != nil {
			return fmt.Errorf("layer %q: %w", l.DiffID, err)
		}
	}
	return nil
}

// documents are the config and the manifest.
func (d *Description) documents() []ocispec.Descriptor {
	if d.Manifest == nil {
		return []ocispec.Descriptor{d.Image}
	}
	return []ocispec.Descriptor{d.Image, *d.Manifest}
}

func (d *Description) checkLayer(l LayerDescription) error {
	if err := checkDescriptor(l.DiffID, l.Size, maxSize); err != nil {
		return err
	}
	switch {
	case l.Way == Shared && l.Content == nil:
		if !slices.Contains(d.Bases, delta.Descriptor{Digest: l.DiffID, Size: l.Size}) {
			return errors.New("it is shared, and not among the bases")
		}
		return nil
	case (l.Way == Delta || l.Way == Whole) && l.Content != nil:
		return checkDescriptor(l.Content.Digest, l.Content.Size, maxSize)
	}
	return fmt.Errorf("way %q does not fit its content", l.Way)
}

func checkDescriptor(d digest.Digest, size, most int64) error {
	if err := verify.CheckDigest(d); err != nil {
		return err
	}
	if size < 0 || size > most {
		return fmt.Errorf("%q has the size %d, which is not between 0 and %d", d, size, most)
	}
	return nil
}

// artifact makes the manifest that the delta is in layouts and registries.
func (d *Description) artifact(description ocispec.Descriptor, subject *ocispec.Descriptor) ([]byte, ocispec.Descriptor) {
	m := ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		ArtifactType: MediaType, Config: description, Layers: d.artifactLayers(), Subject: subject,
	}
	b := encode(m)
	return b, artifactDescriptor(b)
}

// artifactDescriptor describes the manifest of an artifact.
func artifactDescriptor(manifest []byte) ocispec.Descriptor {
	return ocispec.Descriptor{
		MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromBytes(manifest), Size: int64(len(manifest)), ArtifactType: MediaType,
	}
}

// artifactLayers are the blobs of the artifact, each once: documents first.
func (d *Description) artifactLayers() []ocispec.Descriptor {
	out := d.documents()
	for _, l := range d.Layers {
		if l.Content != nil && !slices.ContainsFunc(out, func(o ocispec.Descriptor) bool { return o.Digest == l.Content.Digest }) {
			out = append(out, *l.Content)
		}
	}
	return out
}

// encode writes compact JSON.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("%T cannot be JSON: %v", v, err)) // strings and numbers always can
	}
	return b
}
