package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/internal/verify"
)

// maxDocument bounds manifests, indexes and configs, in bytes: what registries
// take at most.
const maxDocument = 8 << 20

// ReadBlob reads a small blob, a manifest for example, and checks it. A store
// sets a damaged one aside.
func ReadBlob(ctx context.Context, src Source, desc ocispec.Descriptor) ([]byte, error) {
	if desc.Size > maxDocument {
		return nil, fmt.Errorf("cannot read blob %q: %d bytes are more than the %d that a document may have", desc.Digest, desc.Size, maxDocument)
	}
	b, err := src.Blob(ctx, desc.Digest)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	r := io.NewSectionReader(b, 0, b.Size())
	data, err := io.ReadAll(verify.NewReader(r, blobName(desc.Digest), desc.Size, desc.Digest))
	if f, ok := b.(*fileBlob); ok && wrong(err) {
		if s, ok := src.(*Store); ok {
			err = errors.Join(err, s.setAside(f, desc.Digest))
		}
	}
	if err != nil {
		return nil, err
	}
	return data, nil
}

// IsIndex says whether a media type is that of an index of manifests.
func IsIndex(mediaType string) bool {
	return mediaType == ocispec.MediaTypeImageIndex || mediaType == "application/vnd.docker.distribution.manifest.list.v2+json"
}

// ReadIndex reads and checks an image index.
func ReadIndex(ctx context.Context, src Source, desc ocispec.Descriptor) (*ocispec.Index, error) {
	return readDocument[ocispec.Index](ctx, src, desc, "index")
}

// ReadManifest reads and checks an image manifest.
func ReadManifest(ctx context.Context, src Source, desc ocispec.Descriptor) (*ocispec.Manifest, error) {
	return readDocument[ocispec.Manifest](ctx, src, desc, "manifest")
}

// ReadConfig reads and checks an image config.
func ReadConfig(ctx context.Context, src Source, desc ocispec.Descriptor) (*ocispec.Image, error) {
	return readDocument[ocispec.Image](ctx, src, desc, "config")
}

func readDocument[T any](ctx context.Context, src Source, desc ocispec.Descriptor, kind string) (*T, error) {
	data, err := ReadBlob(ctx, src, desc)
	if err != nil {
		return nil, fmt.Errorf("cannot read image %s: %w", kind, err)
	}
	v := new(T)
	if err := json.Unmarshal(data, v); err != nil {
		return nil, fmt.Errorf("cannot parse image %s %q: %w", kind, desc.Digest, err)
	}
	return v, nil
}

// readFile reads a file of at most limit bytes.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%q has more than %d bytes", path, limit)
	}
	return b, err
}
