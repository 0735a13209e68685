package executor

import (
	"context"
	"fmt"
	"io/fs"
	"sync"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/store"
)

// holders knows who holds the layers of images that this run made or builds
// on. It is a store.Source.
type holders struct {
	mu     sync.Mutex
	by     map[digest.Digest]store.Source // by blob
	layers map[digest.Digest]patch.Layer  // by diff id
}

func newHolders() *holders {
	return &holders{by: make(map[digest.Digest]store.Source), layers: make(map[digest.Digest]patch.Layer)}
}

// add says that src holds the layers of m. A layer that is held already, as
// that of a base image, is replaced by the blob that is known: an engine may
// name it in another compression, and hold it by name only.
func (h *holders) add(m *made, src store.Source) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range m.platforms {
		p := &m.platforms[i]
		if p.manifest == nil {
			p.layers = preferred(p.layers, h.layers)
		}
		for _, l := range p.layers {
			h.know(l, src)
		}
	}
}

// hold says that src holds the layers of an image that stays as it is.
func (h *holders) hold(img patch.Image, src store.Source) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range img.Manifests {
		for _, l := range m.Layers {
			h.know(l, src)
		}
	}
}

// keep says that from now on src holds a layer.
func (h *holders) keep(l patch.Layer, src store.Source) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.layers[l.DiffID], h.by[l.Digest] = l, src
}

func (h *holders) know(l patch.Layer, src store.Source) {
	if _, ok := h.layers[l.DiffID]; !ok {
		h.layers[l.DiffID] = l
	}
	if h.by[l.Digest] == nil {
		h.by[l.Digest] = src
	}
}

// set says that from now on src holds a blob.
func (h *holders) set(d digest.Digest, src store.Source) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.by[d] = src
}

// Blob implements store.Source.
func (h *holders) Blob(ctx context.Context, d digest.Digest) (store.Blob, error) {
	h.mu.Lock()
	src := h.by[d]
	h.mu.Unlock()
	if src == nil {
		return nil, fmt.Errorf("cannot find blob %q: %w", d, fs.ErrNotExist)
	}
	return src.Blob(ctx, d)
}
