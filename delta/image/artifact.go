package image

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/store"
)

// An Artifact is a delta as registries have it.
type Artifact struct {
	Description
	Digest digest.Digest // of its manifest

	raw, description []byte
	top, config      ocispec.Descriptor
}

// ParseArtifact reads an artifact: its manifest, and the description from a
// source. What it carries besides stays where it is.
func ParseArtifact(ctx context.Context, manifest []byte, src store.Source) (*Artifact, error) {
	var m ocispec.Manifest
	if err := json.Unmarshal(manifest, &m); err != nil {
		return nil, fmt.Errorf("%w: cannot parse its manifest: %w", ErrMalformed, err)
	}
	if m.Config.MediaType != MediaType {
		return nil, fmt.Errorf("%w: its manifest has a config of type %q", ErrMalformed, m.Config.MediaType)
	}
	b, err := store.ReadBlob(ctx, src, m.Config)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	d, err := parseDescription(b)
	if err != nil {
		return nil, err
	}
	top := artifactDescriptor(manifest)
	return &Artifact{Description: *d, Digest: top.Digest, raw: manifest, description: b, top: top, config: plainDescriptor(m.Config)}, nil
}

// Size is how many bytes the artifact has, without manifest and description.
func (a *Artifact) Size() int64 {
	var n int64
	for _, d := range a.artifactLayers() {
		n += d.Size
	}
	return n
}

// Fits tells whether an image has all layers that the delta needs.
func (a *Artifact) Fits(old *Image) bool {
	for _, b := range a.Bases {
		if !slices.ContainsFunc(old.Layers, func(l Layer) bool { return l.DiffID == b.Digest }) {
			return false
		}
	}
	return true
}

// Write writes the delta as a file. Blobs come from open, and are checked.
func (a *Artifact) Write(ctx context.Context, w io.Writer, open func(ocispec.Descriptor) (io.ReadCloser, error)) error {
	own := map[digest.Digest][]byte{a.top.Digest: a.raw, a.config.Digest: a.description}
	blobs := append([]ocispec.Descriptor{a.top, a.config}, a.artifactLayers()...)
	return writeLayout(ctx, w, a.top, blobs, func(d ocispec.Descriptor) (io.ReadCloser, error) {
		if b, ok := own[d.Digest]; ok {
			return io.NopCloser(bytes.NewReader(b)), nil
		}
		return open(d)
	})
}

// Beside gives the manifest that the delta has in a registry beside the image's
// manifest, its subject.
func (f *File) Beside(subject ocispec.Descriptor) ([]byte, ocispec.Descriptor) {
	plain := plainDescriptor(subject)
	return f.artifact(f.config, &plain)
}

// Blobs are what the artifact has.
func (f *File) Blobs() []ocispec.Descriptor {
	return append([]ocispec.Descriptor{f.config}, f.artifactLayers()...)
}

// Open gives the content of one of the blobs.
func (f *File) Open(d ocispec.Descriptor) (io.Reader, error) { return f.tar.open(blobName(d.Digest)) }
