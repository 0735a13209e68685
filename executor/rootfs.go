package executor

import (
	"context"
	"fmt"
	"os"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/planner"
	"github.com/flotobuild/flotobuild/store"
)

// rootfs imports a root file system as an image of one layer. No engine is
// needed. The store remembers the layer, so that it is made once.
func (r *run) rootfs(ctx context.Context, img *planner.ImagePlan) (*made, error) {
	if len(img.Platforms) != 1 {
		return nil, fmt.Errorf("cannot import %s: a root file system has one platform, and %d are named", img.Address, len(img.Platforms))
	}
	st, err := r.localStore()
	if err != nil {
		return nil, err
	}
	layer, err := r.rootfsLayer(ctx, st, img)
	if err != nil {
		return nil, fmt.Errorf("cannot import %s from %q: %w", img.Address, img.Rootfs.File, err)
	}
	platform, err := parsePlatform(img.Platforms[0])
	if err != nil {
		return nil, err
	}
	o := store.ConfigOptions{Platform: *platform, DiffIDs: []digest.Digest{layer.DiffID}, Labels: img.Labels, CreatedBy: "rootfs " + img.Rootfs.File}
	if r.opts.Epoch != nil {
		o.Created = *r.opts.Epoch
	}
	config, desc := store.NewConfig(o)
	p := platformImage{config: config, configType: desc.MediaType}
	if err := p.parse([]ocispec.Descriptor{layer.Descriptor}); err != nil {
		return nil, err
	}
	m := &made{plan: img, platforms: []platformImage{p}}
	r.holders.add(m, st)
	return m, nil
}

// rootfsLayer returns the layer of an earlier import of the same file, or
// imports it.
func (r *run) rootfsLayer(ctx context.Context, st *store.Store, img *planner.ImagePlan) (*store.Layer, error) {
	name := fmt.Sprintf("rootfs-%s-%s", img.Rootfs.Digest.Encoded(), compressionName(r.plan.Engine.Compression))
	if l := knownLayer(ctx, st, name); l != nil {
		return l, nil
	}
	l, err := r.importRootfs(ctx, st, img)
	if err != nil {
		return nil, err
	}
	// An import does not replace a blob that is there. A damaged one is set aside
	// by the check, and made anew.
	if st.Check(ctx, l.Descriptor.Digest, l.Descriptor.Size) != nil {
		if l, err = r.importRootfs(ctx, st, img); err != nil {
			return nil, err
		}
	}
	return l, rememberLayer(ctx, st, name, l)
}

func (r *run) importRootfs(ctx context.Context, st *store.Store, img *planner.ImagePlan) (*store.Layer, error) {
	f, err := os.Open(r.path(img.Rootfs.File))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t := r.opts.Progress.transfer(fmt.Sprintf("[%s] importing %s", img.Name, img.Rootfs.File), img.Rootfs.Size)
	file := newChecked(f, t)
	l, err := st.ImportRootfs(ctx, file, store.Compression(r.plan.Engine.Compression))
	t.end(err)
	if err != nil {
		return nil, err
	}
	if got := file.digest(); got != img.Rootfs.Digest {
		return nil, fmt.Errorf("the file has changed since the plan was made: it has digest %s instead of %s; plan again", got, img.Rootfs.Digest)
	}
	return l, nil
}

// knownLayer finds a layer by the name that rememberLayer gave it.
func knownLayer(ctx context.Context, st *store.Store, name string) *store.Layer {
	images, err := st.Images()
	if err != nil {
		return nil
	}
	for _, i := range images {
		if i.Annotations[ocispec.AnnotationRefName] != name {
			continue
		}
		m, err := store.ReadManifest(ctx, st, i)
		if err != nil || len(m.Layers) != 1 {
			return nil
		}
		c, err := store.ReadConfig(ctx, st, m.Config)
		if err != nil || len(c.RootFS.DiffIDs) != 1 {
			return nil
		}
		// A damaged blob is set aside, and imported once more.
		if err := st.Check(ctx, m.Layers[0].Digest, m.Layers[0].Size); err != nil {
			return nil
		}
		return &store.Layer{DiffID: c.RootFS.DiffIDs[0], Descriptor: m.Layers[0]}
	}
	return nil
}

func rememberLayer(ctx context.Context, st *store.Store, name string, l *store.Layer) error {
	config, cdesc := store.NewConfig(store.ConfigOptions{DiffIDs: []digest.Digest{l.DiffID}})
	manifest, mdesc := store.NewManifest(cdesc, []ocispec.Descriptor{l.Descriptor})
	for _, d := range []document{{cdesc, config}, {mdesc, manifest}} {
		// A damaged one is set aside by the check; that it is missing is no error.
		_ = st.Check(ctx, d.desc.Digest, d.desc.Size)
		if err := st.Put(ctx, d.desc, memoryBlobOf(d.data)); err != nil {
			return err
		}
	}
	return st.SetImage(ctx, name, mdesc)
}
