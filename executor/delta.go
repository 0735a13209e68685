package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/delta"
	"github.com/flotobuild/flotobuild/delta/recipe"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/layers"
	"github.com/flotobuild/flotobuild/planner"
	"github.com/flotobuild/flotobuild/store"
)

// A layer that the parents lack travels as a delta against layers that all of
// them have where that is smaller than its blob, and where its blob can be made
// again from the tar, so that no digest changes. Everything else travels whole.

// leastDelta is the size of the smallest layer that a delta is tried for: what
// the description says of one takes some hundred bytes.
const leastDelta = 4 << 10

// deltas decides which of the new layers of a draft travel as deltas, by blob.
func (r *run) deltas(ctx context.Context, d *draft) (map[digest.Digest]keptDelta, error) {
	if d.site.Patch.Delta != planner.DeltaAuto || len(d.parents) == 0 {
		return nil, nil
	}
	bases := r.deltaBases(d.parents)
	if len(bases) == 0 {
		return nil, nil
	}
	known := make(map[digest.Digest]patch.Layer) // by blob
	for _, l := range layerSet(d.desc.Flotobuild.Images) {
		known[l.Digest] = l
	}
	out := make(map[digest.Digest]keptDelta)
	for _, b := range newBlobs(d.parents, d.desc) {
		l, ok := known[b.Digest]
		if !ok || l.Size < leastDelta || slices.Contains(bases, l.DiffID) {
			continue
		}
		k, err := r.delta(ctx, d.site.Name, l, bases)
		if err != nil {
			return nil, fmt.Errorf("layer %q: %w", l.DiffID, err)
		}
		if k.Transport != nil {
			out[l.Digest] = k
		}
	}
	return out, nil
}

// deltaBases lists the layers that every parent has and that are at hand, in the
// order of the first parent's images.
func (r *run) deltaBases(parents []*patch.Description) []digest.Digest {
	var out []digest.Digest
	for _, i := range parents[0].Flotobuild.Images {
		for _, m := range i.Manifests {
			for _, l := range m.Layers {
				everywhere := !slices.ContainsFunc(parents, func(p *patch.Description) bool { return !slices.Contains(p.RequiredImageIDs, l.DiffID) })
				if everywhere && !slices.Contains(out, l.DiffID) && r.parents.layersOf.Has(l.DiffID) {
					out = append(out, l.DiffID)
				}
			}
		}
	}
	return out
}

// delta gives the delta of a layer, from the cache where it was made before.
func (r *run) delta(ctx context.Context, site string, l patch.Layer, bases []digest.Digest) (keptDelta, error) {
	c := deltaCache{r.opts.DeltaDir}
	key := deltaKey(l, bases, r.opts.memory())
	k, ok := c.find(key)
	if !ok {
		var err error
		if k, err = r.makeDelta(ctx, c, key, site, l, bases); err != nil {
			return k, err
		}
	}
	if k.Transport != nil {
		r.holders.set(k.Transport.Delta.Digest, c.entry(key))
	}
	return k, nil
}

// makeDelta makes the delta of a layer and keeps it, or that there is none.
func (r *run) makeDelta(ctx context.Context, c deltaCache, key, site string, l patch.Layer, bases []digest.Digest) (_ keptDelta, err error) {
	target := layers.New(c.dir)
	defer func() { err = errors.Join(err, target.Close()) }()
	blob, err := r.localBlob(ctx, l)
	if err != nil {
		return keptDelta{}, err
	}
	form, ok, err := recipeOf(ctx, blob, l)
	if err != nil {
		return keptDelta{}, err
	}
	if !ok {
		return keptDelta{}, c.keep(key, keptDelta{})
	}
	target.Hold(r.holders, l)
	content, size, err := target.Tar(ctx, l.DiffID)
	if err != nil {
		return keptDelta{}, err
	}
	from, err := r.openBases(ctx, bases)
	if err != nil {
		return keptDelta{}, err
	}
	t := r.opts.Progress.transfer(fmt.Sprintf("[%s] comparing layer %s", site, l.DiffID), size)
	var mu sync.Mutex // progress comes from several goroutines
	add := func(n int64) {
		mu.Lock()
		defer mu.Unlock()
		t.add(n)
	}
	k, err := c.make(key, l, form, func(w io.Writer) (*delta.Info, error) {
		return delta.Create(ctx, w, delta.Layer{Descriptor: delta.Descriptor{Digest: l.DiffID, Size: size}, Content: content}, from,
			delta.Options{Memory: r.opts.memory(), Progress: add})
	})
	t.end(err)
	return k, err
}

// localBlob fetches the blob of a layer, which is read several times and may be
// written to a patch after all: it leaves its source once.
func (r *run) localBlob(ctx context.Context, l patch.Layer) (store.Blob, error) {
	b, err := r.sources.Blob(ctx, l.Digest)
	if err != nil {
		return nil, err
	}
	in := reader(b)
	defer in.Close()
	f, err := fetchFile(ctx, r.opts.DeltaDir, l, in)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.fetched = append(r.fetched, f)
	r.mu.Unlock()
	r.holders.set(l.Digest, f)
	return f, nil
}

// recipeOf looks for what makes the blob of the layer's tar.
func recipeOf(ctx context.Context, b store.Blob, l patch.Layer) ([]byte, bool, error) {
	if l.Digest == l.DiffID {
		return nil, true, nil
	}
	form, ok, err := recipe.Identify(ctx, b, b.Size())
	if err != nil || !ok {
		return nil, false, err
	}
	text, err := form.MarshalBinary()
	return text, true, err
}

func (r *run) openBases(ctx context.Context, ids []digest.Digest) ([]delta.Layer, error) {
	var out []delta.Layer
	for _, id := range ids {
		content, size, err := r.parents.layersOf.Tar(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("cannot compare with a layer of the parent: %w", err)
		}
		out = append(out, delta.Layer{Descriptor: delta.Descriptor{Digest: id, Size: size}, Content: content})
	}
	return out, nil
}
