package executor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/executor/sbom"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
	"github.com/flotobuild/flotobuild/store"
)

// A run is one Apply.
type run struct {
	plan    *planner.Plan
	opts    Options
	parents *parents
	engines *engines
	docs    *documents
	holders *holders
	sources sources         // what may be offered to an engine
	carried map[string]bool // addresses of images that a patch gets anew
	observe observer
	failed  atomic.Bool // some image could not be made

	completing sync.Mutex
	converted  map[digest.Digest]patch.Layer // by diff id, see convert

	packages map[digest.Digest][]sbom.Package // by manifest, see packageLists

	mu       sync.Mutex
	fetched  []*fetchedBlob // layers that deltas were made for
	store    *store.Store   // nil until it is needed
	made     map[string]*made
	bases    map[string]patch.Image // by address: every image that is provided
	warnings []string

	sealed   map[string]*sealing  // by folder; what the plan seals
	restored map[string]*restored // by folder; what is taken from parents
	archives map[string]int64     // sizes of the volumes that were written, by UUID
}

// planned gives the plan of an image; nil where the plan does not know it.
func (r *run) planned(address string) *planner.ImagePlan {
	for _, img := range r.plan.Images {
		if img.Address == address {
			return img
		}
	}
	return nil
}

func (r *run) warn(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.warnings = append(r.warnings, fmt.Sprintf(format, args...))
}

// Apply carries out a plan: it makes the images, then the patches of all sites
// that lack something. See the package's promises. Failed builds are reported
// together, as *BuildError where a step failed. A plan that Build made exact is
// carried out to the byte, or not at all.
func Apply(ctx context.Context, plan *planner.Plan, opts Options) (*Result, error) {
	r, err := newRun(ctx, plan, opts)
	if err != nil {
		return nil, err
	}
	result, err := r.apply(ctx)
	return result, errors.Join(err, r.close())
}

// newRun opens the parents. The caller closes the run.
func newRun(ctx context.Context, plan *planner.Plan, opts Options) (*run, error) {
	if err := opts.date(plan); err != nil {
		return nil, err
	}
	r := &run{
		plan:    plan,
		opts:    opts,
		engines: newEngines(opts.Engine),
		docs:    newDocuments(),
		holders: newHolders(),
		made:    make(map[string]*made),
		bases:   make(map[string]patch.Image),
		carried: carried(plan),
		observe: observer{call: opts.Observe},

		converted: make(map[digest.Digest]patch.Layer),
		packages:  make(map[digest.Digest][]sbom.Package),
	}
	var err error
	if r.parents, err = openParents(ctx, plan, opts.Opener, opts.DeltaDir, r.path); err != nil {
		return nil, err
	}
	r.sources = append(sources{r.docs, r.holders}, r.parents.all...)
	return r, nil
}

func (r *run) close() error {
	errs := []error{r.engines.close(), r.parents.close()}
	for _, b := range r.fetched {
		errs = append(errs, b.f.Close())
	}
	return errors.Join(errs...)
}

// carried lists the images that patches of sites need made, and that must not be
// taken over from another site's parent.
func carried(plan *planner.Plan) map[string]bool {
	out := make(map[string]bool)
	for _, s := range plan.Sites {
		for _, c := range s.Images {
			if c.Made() {
				out[c.Address] = true
			}
		}
	}
	return out
}

func (r *run) apply(ctx context.Context) (*Result, error) {
	if err := r.checkOutputs(); err != nil {
		return nil, err
	}
	if err := r.checkPassphrases(); err != nil {
		return nil, err
	}
	if err := r.readOutputs(); err != nil {
		return nil, err
	}
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	sites, err := r.writeAll(ctx)
	if err != nil {
		return nil, err
	}
	return &Result{Images: r.imageResults(), Sites: sites, Envelopes: r.envelopeResults(), Volumes: r.volumeResults(), Removed: r.removedOutputs(), Warnings: r.warnings}, nil
}

// prepare makes all that patches take their content from.
func (r *run) prepare(ctx context.Context) error {
	if err := r.makeAll(ctx); err != nil {
		return err
	}
	if err := r.completeCarried(ctx); err != nil {
		return err
	}
	if err := r.volumeImages(ctx); err != nil {
		return err
	}
	if err := r.sealAll(ctx); err != nil {
		return err
	}
	r.warnBare()
	if r.opts.Recheck != nil {
		return r.opts.Recheck(ctx)
	}
	return nil
}

func (r *run) imageResults() []ImageResult {
	var out []ImageResult
	for _, img := range r.plan.Images {
		m := r.made[img.Address]
		if m == nil {
			continue
		}
		desc, _, err := m.describe(img.Name, nil)
		if err != nil {
			continue // describe has worked before
		}
		out = append(out, ImageResult{
			Address: img.Address, ID: desc.ID, Layers: len(layerSet([]patch.Image{desc})),
			Steps: m.steps, Cached: m.cached,
		})
	}
	return out
}

// localStore opens the store of imported root file systems.
func (r *run) localStore() (*store.Store, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.store == nil {
		st, err := store.Create(r.opts.StoreDir)
		if err != nil {
			return nil, fmt.Errorf("%w; the folder holds nothing that cannot be made again: delete %q if it is damaged", err, r.opts.StoreDir)
		}
		r.store = st
	}
	return r.store, nil
}

// layerSet gives the layers of images by diff id.
func layerSet(images []patch.Image) map[digest.Digest]patch.Layer {
	out := make(map[digest.Digest]patch.Layer)
	for _, i := range images {
		for _, m := range i.Manifests {
			for _, l := range m.Layers {
				out[l.DiffID] = l
			}
		}
	}
	return out
}
