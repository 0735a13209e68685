package registry

import (
	"context"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
)

// A Release is a patch whose images are there to be pulled.
type Release struct {
	ID string
	// Digest is that of the description. A description is opened once.
	Digest digest.Digest
	Active bool
	Open   func(ctx context.Context) (*patch.Description, error)
}

func (r Release) same(other Release) bool {
	return r.Digest == other.Digest && r.Active == other.Active
}

// fresh gives the catalog of this moment.
func (h *Handler) fresh(ctx context.Context) (*catalog, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now, err := h.opts.Releases(ctx)
	if err != nil {
		return nil, err
	}
	if slices.EqualFunc(now, h.seen, Release.same) {
		return h.last, nil
	}
	opened := make(map[digest.Digest]*patch.Description, len(now))
	var parts []part
	whole := true
	for _, r := range now {
		d, err := h.open(ctx, r)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil {
			// One patch that cannot be read must not keep the others from being
			// pulled. The next request tries again.
			h.opts.Log.Error("registry cannot show patch", "patch", r.ID, "error", err.Error())
			whole = false
			continue
		}
		opened[r.Digest] = d
		parts = append(parts, part{d, r.Active})
	}
	h.opened, h.last, h.seen = opened, newCatalog(parts), nil
	if whole {
		h.seen = now
	}
	return h.last, nil
}

func (h *Handler) open(ctx context.Context, r Release) (*patch.Description, error) {
	if d := h.opened[r.Digest]; d != nil {
		return d, nil
	}
	d, err := r.Open(ctx)
	if err != nil {
		return nil, err
	}
	return slim(d), nil
}

// known gives the catalog as it was made last. What a digest stands for in it
// holds for ever.
func (h *Handler) known() *catalog {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last
}
