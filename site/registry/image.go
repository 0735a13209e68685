package registry

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync/atomic"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/store"
)

// A stored is a manifest or an index of the store, with what it names, as
// go-containerregistry pushes it.
type stored struct {
	ctx  context.Context // of the push: its interfaces have none
	src  store.Source
	desc ocispec.Descriptor
	raw  []byte
	push *pushing
}

func (p *pushing) open(ctx context.Context, desc ocispec.Descriptor) (*stored, error) {
	raw, err := store.ReadBlob(ctx, p.blobs, desc)
	if err != nil {
		return nil, err
	}
	return &stored{ctx: ctx, src: p.blobs, desc: desc, raw: raw, push: p}, nil
}

// taggable gives what a push takes.
func (s *stored) taggable() (remote.Taggable, error) {
	if store.IsIndex(s.desc.MediaType) {
		return storedIndex{s}, nil
	}
	return s.image()
}

func (s *stored) image() (v1.Image, error) {
	i, err := partial.CompressedToImage(s)
	return storedImage{i, s}, err
}

// MediaType implements partial.CompressedImageCore.
func (s *stored) MediaType() (types.MediaType, error) { return types.MediaType(s.desc.MediaType), nil }

// RawManifest implements partial.CompressedImageCore.
func (s *stored) RawManifest() ([]byte, error) { return s.raw, nil }

// RawConfigFile implements partial.CompressedImageCore.
func (s *stored) RawConfigFile() ([]byte, error) {
	m, err := store.ReadManifest(s.ctx, s.src, s.desc)
	if err != nil {
		return nil, err
	}
	return store.ReadBlob(s.ctx, s.src, m.Config)
}

// LayerByDigest implements partial.CompressedImageCore.
func (s *stored) LayerByDigest(h v1.Hash) (partial.CompressedLayer, error) {
	m, err := store.ReadManifest(s.ctx, s.src, s.desc)
	if err != nil {
		return nil, err
	}
	for _, l := range append(m.Layers, m.Config) {
		if l.Digest.String() == h.String() {
			return &storedLayer{s, l}, nil
		}
	}
	return nil, fmt.Errorf("manifest %q has no blob %q", s.desc.Digest, h)
}

// A storedImage names for each layer the repository that has it already, so that
// a registry need not get it twice.
type storedImage struct {
	v1.Image
	s *stored
}

// Layers implements v1.Image.
func (i storedImage) Layers() ([]v1.Layer, error) {
	layers, err := i.Image.Layers()
	if err != nil {
		return nil, err
	}
	for n, l := range layers {
		d, err := l.Digest()
		if err != nil {
			return nil, err
		}
		if from, ok := i.s.push.sent[digest.Digest(d.String())]; ok {
			layers[n] = &remote.MountableLayer{Layer: l, Reference: from}
		}
	}
	return layers, nil
}

// A storedIndex is an index of the store.
type storedIndex struct{ *stored }

// Digest implements v1.ImageIndex.
func (i storedIndex) Digest() (v1.Hash, error) { return v1.NewHash(i.desc.Digest.String()) }

// Size implements v1.ImageIndex.
func (i storedIndex) Size() (int64, error) { return i.desc.Size, nil }

// IndexManifest implements v1.ImageIndex.
func (i storedIndex) IndexManifest() (*v1.IndexManifest, error) {
	return v1.ParseIndexManifest(bytes.NewReader(i.raw))
}

// Image implements v1.ImageIndex.
func (i storedIndex) Image(h v1.Hash) (v1.Image, error) {
	s, err := i.child(h)
	if err != nil {
		return nil, err
	}
	return s.image()
}

// ImageIndex implements v1.ImageIndex.
func (i storedIndex) ImageIndex(h v1.Hash) (v1.ImageIndex, error) {
	s, err := i.child(h)
	if err != nil {
		return nil, err
	}
	return storedIndex{s}, nil
}

func (i storedIndex) child(h v1.Hash) (*stored, error) {
	index, err := store.ReadIndex(i.ctx, i.src, i.desc)
	if err != nil {
		return nil, err
	}
	for _, m := range index.Manifests {
		if m.Digest.String() == h.String() {
			return i.push.open(i.ctx, m)
		}
	}
	return nil, fmt.Errorf("index %q has no manifest %q", i.desc.Digest, h)
}

// A storedLayer is a blob, which is checked and counted while it is sent.
type storedLayer struct {
	s    *stored
	desc ocispec.Descriptor
}

// Digest implements partial.CompressedLayer.
func (l *storedLayer) Digest() (v1.Hash, error) { return v1.NewHash(l.desc.Digest.String()) }

// Size implements partial.CompressedLayer.
func (l *storedLayer) Size() (int64, error) { return l.desc.Size, nil }

// MediaType implements partial.CompressedLayer.
func (l *storedLayer) MediaType() (types.MediaType, error) {
	return types.MediaType(l.desc.MediaType), nil
}

// Compressed implements partial.CompressedLayer.
func (l *storedLayer) Compressed() (io.ReadCloser, error) {
	b, err := l.s.src.Blob(l.s.ctx, l.desc.Digest)
	if err != nil {
		return nil, err
	}
	r := verify.NewReader(io.NewSectionReader(b, 0, b.Size()), fmt.Sprintf("blob %q", l.desc.Digest), l.desc.Size, l.desc.Digest)
	return &countedBlob{r, b, &l.s.push.bytes}, nil
}

// A countedBlob counts what is read of a blob.
type countedBlob struct {
	io.Reader
	io.Closer
	n *atomic.Int64
}

// Read implements io.Reader.
func (b *countedBlob) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.n.Add(int64(n))
	return n, err
}
