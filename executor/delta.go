package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
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

// A comparison makes the deltas of one site's patch. Bases are unpacked and
// searched for the first layer whose delta is not kept from an earlier run, and
// stay for the layers that are compared with the same ones.
type comparison struct {
	run   *run
	site  string
	cache deltaCache
	bases []digest.Digest
	index *delta.Index             // of bases; nil until it is needed
	forms map[digest.Digest][]byte // how blobs are compressed, as far as that was found
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
	var fresh []patch.Layer
	for _, b := range newBlobs(d.parents, d.desc) {
		if l, ok := known[b.Digest]; ok && l.Size >= leastDelta {
			fresh = append(fresh, l)
		}
	}
	c := &comparison{run: r, site: d.site.Name, cache: cache, forms: make(map[digest.Digest][]byte)}
	out := make(map[digest.Digest]keptDelta)
	for _, look := range r.looks(d, fresh) {
		old, ok := out[look.layer.Digest]
		if ok && !old.improvable(look.layer) {
			continue
		}
		k, err := c.delta(ctx, look.layer, look.bases)
		if err != nil {
			return nil, c.explain(look.layer, err)
		}
		if !ok || k.Transport != nil && (old.Transport == nil || k.Size < old.Size) {
			out[look.layer.Digest] = k
		}
	}
	maps.DeleteFunc(out, func(_ digest.Digest, k keptDelta) bool { return k.Transport == nil })
	for blob, k := range out {
		r.holders.set(k.Transport.Delta.Digest, c.cache.entry(deltaKey(known[blob], k.Against, r.opts.memory())))
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

// delta gives the delta of a layer, from the cache where it was made before.
func (c *comparison) delta(ctx context.Context, l patch.Layer, bases []digest.Digest) (keptDelta, error) {
	if !slices.Equal(c.bases, bases) {
		c.bases, c.index = bases, nil
	}
	key := deltaKey(l, bases, c.run.opts.memory())
	k, ok := c.cache.find(key)
	if !ok {
		var err error
		if k, err = c.make(ctx, key, l); err != nil {
			return k, err
		}
	}
	k.Against = bases
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
	form, ok := c.forms[l.Digest]
	if !ok {
		if form, ok, err = recipeOf(ctx, blob, l); err != nil {
			return keptDelta{}, err
		}
		if !ok {
			k := keptDelta{NoRecipe: true}
			return k, c.cache.keep(key, k)
		}
		c.forms[l.Digest] = form
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
	if b := r.fetchedBefore(l.Digest); b != nil {
		return b, nil
	}
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

// fetchedBefore finds what localBlob fetched; nil for nothing.
func (r *run) fetchedBefore(d digest.Digest) *fetchedBlob {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range r.fetched {
		if b.digest == d {
			return b
		}
	}
	return nil
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
