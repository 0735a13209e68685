package executor

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/containerd/platforms"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/store"
)

// attestationType marks manifests in an index that describe others.
const attestationType = "vnd.docker.reference.type"

// manifestsOf lists the image manifests behind a digest, and tells whether an
// index stands there.
func manifestsOf(ctx context.Context, src store.Source, dgst digest.Digest) ([]ocispec.Descriptor, bool, error) {
	desc, data, err := readTop(ctx, src, dgst)
	if err != nil {
		return nil, false, err
	}
	if !store.IsIndex(desc.MediaType) {
		return []ocispec.Descriptor{desc}, false, nil
	}
	var index ocispec.Index
	if err := json.Unmarshal(data, &index); err != nil {
		return nil, false, fmt.Errorf("cannot parse image index %q: %w", dgst, err)
	}
	var out []ocispec.Descriptor
	for _, m := range index.Manifests {
		if m.Annotations[attestationType] == "" {
			out = append(out, m)
		}
	}
	return out, true, nil
}

// readTop reads a manifest or index of which only the digest is known.
func readTop(ctx context.Context, src store.Source, dgst digest.Digest) (ocispec.Descriptor, []byte, error) {
	b, err := src.Blob(ctx, dgst)
	if err != nil {
		return ocispec.Descriptor{}, nil, err
	}
	size := b.Size()
	b.Close()
	desc := ocispec.Descriptor{Digest: dgst, Size: size}
	data, err := store.ReadBlob(ctx, src, desc)
	if err != nil {
		return desc, nil, err
	}
	var head struct {
		MediaType string            `json:"mediaType"`
		Manifests []json.RawMessage `json:"manifests"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return desc, nil, fmt.Errorf("cannot parse image manifest %q: %w", dgst, err)
	}
	switch {
	case head.MediaType != "":
		desc.MediaType = head.MediaType
	case head.Manifests != nil:
		desc.MediaType = ocispec.MediaTypeImageIndex
	default:
		desc.MediaType = ocispec.MediaTypeImageManifest
	}
	return desc, data, nil
}

// parse fills in what follows from the config and the manifest's layers.
func (p *platformImage) parse(layers []ocispec.Descriptor) error {
	var config ocispec.Image
	if err := json.Unmarshal(p.config, &config); err != nil {
		return fmt.Errorf("cannot parse image config: %w", err)
	}
	p.platform = platforms.FormatAll(platforms.Normalize(config.Platform))
	p.history = config.History
	var err error
	p.layers, err = layersOf(&config, layers)
	return err
}

func parsePlatform(s string) (*ocispec.Platform, error) {
	p, err := platforms.Parse(s)
	if err != nil {
		return nil, fmt.Errorf("cannot parse platform %q: %w", s, err)
	}
	return &p, nil
}
