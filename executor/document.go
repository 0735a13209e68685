package executor

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/store"
)

// documents are small blobs that this run made: manifests, configs, cache
// records. They are a store.Source.
type documents struct {
	mu    sync.Mutex
	blobs map[digest.Digest][]byte
}

func newDocuments() *documents { return &documents{blobs: make(map[digest.Digest][]byte)} }

// add keeps b and returns its descriptor.
func (d *documents) add(mediaType string, b []byte) ocispec.Descriptor {
	desc := store.Describe(mediaType, b)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.blobs[desc.Digest] = b
	return desc
}

// Blob implements store.Source.
func (d *documents) Blob(_ context.Context, dgst digest.Digest) (store.Blob, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	b, ok := d.blobs[dgst]
	if !ok {
		return nil, fmt.Errorf("cannot find blob %q: %w", dgst, fs.ErrNotExist)
	}
	return memoryBlob{bytes.NewReader(b)}, nil
}

type memoryBlob struct{ *bytes.Reader }

// Size implements store.Blob.
func (b memoryBlob) Size() int64 { return b.Reader.Size() }

// Close implements io.Closer.
func (memoryBlob) Close() error { return nil }

// sources looks for a blob in several places, in order.
type sources []store.Source

// Blob implements store.Source.
func (s sources) Blob(ctx context.Context, d digest.Digest) (store.Blob, error) {
	for _, src := range s {
		b, err := src.Blob(ctx, d)
		if err == nil || !isNotFound(err) {
			return b, err
		}
	}
	return nil, fmt.Errorf("cannot find blob %q: %w", d, fs.ErrNotExist)
}

// reader reads a blob from its start and closes it.
func reader(b store.Blob) io.ReadCloser {
	return struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(b, 0, b.Size()), b}
}
