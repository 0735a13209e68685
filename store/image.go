package store

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// NewManifest makes the manifest of an image and its descriptor. The same
// input gives the same bytes.
func NewManifest(config ocispec.Descriptor, layers []ocispec.Descriptor) ([]byte, ocispec.Descriptor) {
	m := ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispec.MediaTypeImageManifest,
		Config:    config,
		Layers:    append([]ocispec.Descriptor{}, layers...),
	}
	return document(ocispec.MediaTypeImageManifest, m)
}

// NewIndex makes an index of manifests, in the order given, and its
// descriptor.
func NewIndex(manifests []ocispec.Descriptor) ([]byte, ocispec.Descriptor) {
	return document(ocispec.MediaTypeImageIndex, ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispec.MediaTypeImageIndex,
		Manifests: append([]ocispec.Descriptor{}, manifests...),
	})
}

func emptyIndex() []byte {
	b, _ := NewIndex(nil)
	return b
}

// document encodes v as compact JSON.
func document(mediaType string, v any) ([]byte, ocispec.Descriptor) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("%s cannot be JSON: %v", mediaType, err)) // strings, numbers and maps always can
	}
	return b, Describe(mediaType, b)
}

// Describe makes the descriptor of data.
func Describe(mediaType string, data []byte) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
}

// ConfigOptions describe the config of an image that is not built.
type ConfigOptions struct {
	Platform  ocispec.Platform
	DiffIDs   []digest.Digest // base first
	Labels    map[string]string
	Created   time.Time // cut to seconds; zero means the Unix epoch
	CreatedBy string    // what the layers' history says
}

// NewConfig makes an image config and its descriptor. The same input gives the
// same bytes.
func NewConfig(o ConfigOptions) ([]byte, ocispec.Descriptor) {
	created := time.Unix(max(o.Created.Unix(), 0), 0).UTC()
	c := ocispec.Image{
		Created:  &created,
		Platform: o.Platform,
		Config:   ocispec.ImageConfig{Labels: maps.Clone(o.Labels)},
		RootFS:   ocispec.RootFS{Type: "layers", DiffIDs: slices.Clone(o.DiffIDs)},
	}
	for range o.DiffIDs {
		c.History = append(c.History, ocispec.History{Created: &created, CreatedBy: o.CreatedBy})
	}
	return document(ocispec.MediaTypeImageConfig, c)
}
