package executor

import (
	"context"
	"fmt"
	"io/fs"
	"sync"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/store"
)

// holders knows who holds the layers of images that this run made. It is a
// store.Source.
type holders struct {
	mu sync.Mutex
	by map[digest.Digest]store.Source
}

func newHolders() *holders { return &holders{by: make(map[digest.Digest]store.Source)} }

// add says that src holds the layers of m.
func (h *holders) add(m *made, src store.Source) {
	for _, p := range m.platforms {
		for _, l := range p.layers {
			h.set(l.Digest, src)
		}
	}
}

// set says that src holds a blob; what was said last counts.
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
