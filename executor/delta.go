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
	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/layers"
	"github.com/flotobuild/flotobuild/planner"
	"github.com/flotobuild/flotobuild/store"
)

// A layer that the parents lack travels as a delta against layers that all of
// them have where that is smaller than its blob, and where its blob can be made
// again from the tar, so that no digest changes. Everything else travels whole.

// leastDelta is the size of the smallest blob that a delta is tried for: what
// the description says of one takes some hundred bytes.
const leastDelta = 4 << 10

// leastShare is how many bytes of bases are worth searching for a byte of new
// layers, which deltas may spare: seconds for each 64 KiB.
const leastShare = 16 << 10

// mostBases is how many bytes the blobs of the bases may have: they are unpacked
// and searched.
const mostBases int64 = 4 << 30

// A comparison makes the deltas of one site's patch. All layers are compared
// with the same bases, which are unpacked and searched once, for the first layer
// whose delta is not kept from an earlier run.
type comparison struct {
	run   *run
	site  string
	cache deltaCache
	bases []digest.Digest
	index *delta.Index
}

// deltas decides which of the new layers of a draft travel as deltas, by blob.
func (r *run) deltas(ctx context.Context, d *draft) (map[digest.Digest]keptDelta, error) {
	cache := deltaCache{r.opts.DeltaDir}
	cache.sweep()
	if d.site.Patch.Delta == planner.DeltaOff || len(d.parents) == 0 {
		return nil, nil
	}
	known := make(map[digest.Digest]patch.Layer) // by blob
	for _, l := range layerSet(d.desc.Flotobuild.Images) {
		known[l.Digest] = l
	}
	fresh := make(map[digest.Digest]bool)
	var size int64
	blobs := newBlobs(d.parents, d.desc)
	for _, b := range blobs {
		if l, ok := known[b.Digest]; ok && l.Size >= leastDelta {
			fresh[b.Digest], size = true, size+l.Size
		}
	}
	c := comparison{run: r, site: d.site.Name, cache: cache, bases: r.deltaBases(d, fresh, min(mostBases, size*leastShare))}
	out := make(map[digest.Digest]keptDelta)
	for _, b := range blobs {
		l := known[b.Digest]
		if len(c.bases) == 0 || !fresh[b.Digest] || slices.Contains(c.bases, l.DiffID) {
			continue
		}
		k, err := c.delta(ctx, l)
		if err != nil {
			return nil, c.explain(l, err)
		}
		if k.Transport != nil {
			out[l.Digest] = k
		}
	}
	return out, nil
}

// explain says what to do where a layer cannot be compared.
func (c *comparison) explain(l patch.Layer, err error) error {
	err = fmt.Errorf("layer %q: %w", l.DiffID, err)
	switch {
	case atomicfile.NoSpace(err):
		return fmt.Errorf("%w; %q needs room for layers unpacked, of the parent, too, and with delta = \"off\" it needs none", err, c.cache.dir)
	case errors.Is(err, errBase):
		return fmt.Errorf("%w; \"flotobuild verify\" tells which patch is damaged, and delta = \"off\" makes one without its layers", err)
	}
	return err
}

// errBase says that a layer of a parent cannot be read.
var errBase = errors.New("cannot compare with a layer of the parent")

// deltaBases lists the layers that every parent has and that are at hand, as far
// as there is room for their blobs, which those of the images that bring fresh layers
// get first. They come last nevertheless, each image in the order of the first
// parent: of files with the same path a delta takes the one on top.
func (r *run) deltaBases(d *draft, fresh map[digest.Digest]bool, room int64) []digest.Digest {
	changed := make(map[string]bool)
	for _, i := range d.desc.Flotobuild.Images {
		changed[i.Name] = slices.ContainsFunc(allLayers(i), func(l patch.Layer) bool { return fresh[l.Digest] })
	}
	var first, rest []patch.Layer
	for _, i := range d.parents[0].Flotobuild.Images {
		if changed[i.Name] {
			first = append(first, allLayers(i)...)
		} else {
			rest = append(rest, allLayers(i)...)
		}
	}
	have := make(map[digest.Digest]int) // how many parents
	for _, p := range d.parents {
		for _, id := range p.RequiredImageIDs {
			have[id]++
		}
	}
	take := func(layers []patch.Layer) []digest.Digest {
		var out []digest.Digest
		for _, l := range layers {
			if have[l.DiffID] == len(d.parents) && l.Size <= room && r.parents.layersOf.Has(l.DiffID) {
				out = append(out, l.DiffID)
				room -= l.Size
				delete(have, l.DiffID) // it is taken once
			}
		}
		return out
	}
	top := take(first)
	return append(take(rest), top...)
}

// allLayers lists the layers of all platforms of an image.
func allLayers(i patch.Image) []patch.Layer {
	var out []patch.Layer
	for _, m := range i.Manifests {
		out = append(out, m.Layers...)
	}
	return out
}

// delta gives the delta of a layer, from the cache where it was made before.
func (c *comparison) delta(ctx context.Context, l patch.Layer) (keptDelta, error) {
	key := deltaKey(l, c.bases, c.run.opts.memory())
	k, ok := c.cache.find(key)
	if !ok {
		var err error
		if k, err = c.make(ctx, key, l); err != nil {
			return k, err
		}
	}
	if k.Transport != nil {
		c.run.holders.set(k.Transport.Delta.Digest, c.cache.entry(key))
	}
	return k, nil
}

// make makes the delta of a layer and keeps it, or that there is none.
func (c *comparison) make(ctx context.Context, key string, l patch.Layer) (_ keptDelta, err error) {
	target := layers.New(c.cache.dir)
	defer func() { err = errors.Join(err, target.Close()) }()
	blob, err := c.run.localBlob(ctx, l)
	if err != nil {
		return keptDelta{}, err
	}
	form, ok, err := recipeOf(ctx, blob, l)
	if err != nil {
		return keptDelta{}, err
	}
	if !ok {
		return keptDelta{}, c.cache.keep(key, keptDelta{})
	}
	target.Hold(c.run.holders, l)
	content, size, err := target.Tar(ctx, l.DiffID)
	if err != nil {
		return keptDelta{}, err
	}
	if c.index == nil {
		if c.index, err = c.openBases(ctx); err != nil {
			return keptDelta{}, err
		}
	}
	t := c.run.opts.Progress.transfer(fmt.Sprintf("[%s] comparing layer %s", c.site, l.DiffID), size)
	var mu sync.Mutex // progress comes from several goroutines
	add := func(n int64) {
		mu.Lock()
		defer mu.Unlock()
		t.add(n)
	}
	k, err := c.cache.make(key, l, form, func(w io.Writer) (*delta.Info, error) {
		return c.index.Create(ctx, w, delta.Layer{Descriptor: delta.Descriptor{Digest: l.DiffID, Size: size}, Content: content}, add)
	})
	t.end(err)
	return k, err
}

// openBases unpacks and searches the bases.
func (c *comparison) openBases(ctx context.Context) (*delta.Index, error) {
	var out []delta.Layer
	for _, id := range c.bases {
		content, size, err := c.run.parents.layersOf.Tar(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errBase, err)
		}
		out = append(out, delta.Layer{Descriptor: delta.Descriptor{Digest: id, Size: size}, Content: content})
	}
	return delta.NewIndex(ctx, out, delta.Options{Memory: c.run.opts.memory()})
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
