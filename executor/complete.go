package executor

import (
	"context"
	"fmt"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
	"github.com/flotobuild/flotobuild/store"
)

// Images that are built with a parent as cache may have layers that the engine
// knows by name only, and that are in none of the patches at hand. That is how
// unchanged layers stay as they are without being read. Where a layer turns out
// to be needed all the same, its image is built again without the parent.

// readable tells whether somebody holds a blob.
func (r *run) readable(ctx context.Context, d digest.Digest) bool {
	b, err := r.sources.Blob(ctx, d)
	if err != nil {
		return false
	}
	b.Close()
	return true
}

func (r *run) complete(ctx context.Context, img patch.Image) bool {
	for _, m := range img.Manifests {
		for _, l := range m.Layers {
			if !r.readable(ctx, l.Digest) {
				return false
			}
		}
	}
	return true
}

// completeBases sees to it that what an image is built on can be read, and
// tells whether anything had to be built for it.
func (r *run) completeBases(ctx context.Context, img *planner.ImagePlan) (bool, error) {
	r.completing.Lock()
	defer r.completing.Unlock()
	return r.completeAll(ctx, img.DependsOn)
}

func (r *run) completeAll(ctx context.Context, addresses []string) (bool, error) {
	any := false
	for _, a := range addresses {
		changed, err := r.completeOne(ctx, a)
		if err != nil {
			return any, err
		}
		any = any || changed
	}
	return any, nil
}

func (r *run) completeOne(ctx context.Context, address string) (bool, error) {
	img := r.planned(address)
	have, err := r.base(address)
	if err != nil {
		return false, err
	}
	changed, err := r.completeAll(ctx, img.DependsOn)
	if err != nil || !changed && r.complete(ctx, have) || img.Kind != planner.KindBuild {
		return changed, err
	}
	return true, r.buildAlone(ctx, img)
}

// buildAlone builds an image without its parents as cache.
func (r *run) buildAlone(ctx context.Context, img *planner.ImagePlan) error {
	conn, err := r.engines.get(ctx)
	if err != nil {
		return err
	}
	r.warnAlone(img)
	m, _, err := r.solve(ctx, conn, img, nil)
	if err != nil {
		return err
	}
	return r.keepMade(img, m)
}

func (r *run) warnAlone(img *planner.ImagePlan) {
	r.warn("%s was built without its parent as cache, so that steps which did not change may have given new layers: a layer that was needed is in none of the patches at hand; with the older patches in the output folder it would have stayed as it is", img.Address)
}

// completeCarried sees to it that the layers which patches will carry can be
// read, in the compression of the project.
func (r *run) completeCarried(ctx context.Context) error {
	for _, s := range r.plan.Sites {
		has := r.parents.layers(s.Name)
		for _, c := range s.Images {
			m := r.made[c.Address]
			if m == nil || c.From != "" || c.Change == planner.ChangeNone || c.Change == planner.ChangeRemove {
				continue
			}
			if err := r.completeLayers(ctx, c.Address, has); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) completeLayers(ctx context.Context, address string, has map[digest.Digest]patch.Layer) error {
	for _, l := range r.made[address].layers() {
		if _, ok := has[l.DiffID]; !ok && !r.readable(ctx, l.Digest) {
			if _, err := r.completeOne(ctx, address); err != nil {
				return err
			}
			break
		}
	}
	for _, p := range r.made[address].platforms {
		if p.manifest != nil {
			continue // what others made stays as it is
		}
		for _, l := range p.layers {
			if _, ok := has[l.DiffID]; ok {
				continue
			}
			if err := r.convert(ctx, l); err != nil {
				return fmt.Errorf("%s: %w", address, err)
			}
		}
	}
	return nil
}

// convert gives a layer the project's compression. An engine hands out the
// blob that it has, which another project may have asked for.
func (r *run) convert(ctx context.Context, l patch.Layer) error {
	want := store.Compression(r.plan.Engine.Compression)
	if want == "" {
		want = store.Zstd
	}
	if _, done := r.converted[l.DiffID]; done || l.MediaType == want.MediaType() {
		return nil
	}
	st, err := r.localStore()
	if err != nil {
		return err
	}
	b, err := r.sources.Blob(ctx, l.Digest)
	if err != nil {
		return err
	}
	defer b.Close()
	made, err := st.Recompress(ctx, reader(b), l.MediaType, want)
	if err != nil {
		return err
	}
	if made.DiffID != l.DiffID {
		return fmt.Errorf("layer %s is damaged: its content has diff id %s", l.DiffID, made.DiffID)
	}
	l.Digest, l.MediaType, l.Size = made.Descriptor.Digest, made.Descriptor.MediaType, made.Descriptor.Size
	r.converted[l.DiffID] = l
	r.holders.set(l.Digest, st)
	return nil
}

// layers of all platforms.
func (m *made) layers() []patch.Layer {
	var out []patch.Layer
	for _, p := range m.platforms {
		out = append(out, p.layers...)
	}
	return out
}
