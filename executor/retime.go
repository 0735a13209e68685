package executor

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
	"github.com/flotobuild/flotobuild/store"
)

// retime gives the layers that a build made times that do not depend on when
// and where it ran; see docs/adr/0044. Layers of parents, and of what the image
// is built on, stay as they are.
func (r *run) retime(ctx context.Context, src store.Source, img *planner.ImagePlan, m *made) error {
	if r.opts.Epoch == nil {
		return nil
	}
	below := r.below(ctx, src, img)
	known := maps.Clone(below)
	for _, f := range r.parents.files {
		maps.Copy(known, layerSet(described(f.Description)))
	}
	for i := range m.platforms {
		p := &m.platforms[i]
		for n, l := range p.layers {
			if _, ok := known[l.DiffID]; ok {
				continue
			}
			made, err := r.retimed(ctx, l, known)
			if err != nil {
				return fmt.Errorf("cannot make the layers of %s reproducible: %w", img.Address, err)
			}
			p.layers[n] = made
		}
		if err := p.settle(below, *r.opts.Epoch); err != nil {
			return err
		}
	}
	return nil
}

// below gives the layers of what an image is built on, by diff id.
func (r *run) below(ctx context.Context, src store.Source, img *planner.ImagePlan) map[digest.Digest]patch.Layer {
	var bases []patch.Image
	for _, address := range img.DependsOn {
		if b, err := r.base(address); err == nil {
			bases = append(bases, b)
		}
	}
	below := layerSet(bases)
	for _, d := range img.Build.Pins {
		manifests, _, err := manifestsOf(ctx, src, d)
		if err != nil {
			continue // no image
		}
		for _, m := range manifests {
			if p, err := readPlatform(ctx, src, m); err == nil { // others than the platform in use are not there
				for _, l := range p.layers {
					below[l.DiffID] = l
				}
			}
		}
	}
	return below
}

// retimed gives a layer with its times set. An engine may hand out the same
// layer at each release, while the epoch moves on: what a parent has of it stays.
func (r *run) retimed(ctx context.Context, l patch.Layer, known map[digest.Digest]patch.Layer) (patch.Layer, error) {
	st, err := r.localStore()
	if err != nil {
		return l, err
	}
	before := "retimed-" + l.DiffID.Encoded() + "-"
	images, err := st.Images()
	if err != nil {
		return l, err
	}
	for _, i := range images {
		name := i.Annotations[ocispec.AnnotationRefName]
		if !strings.HasPrefix(name, before) {
			continue
		}
		if made := knownLayer(ctx, st, name); made != nil {
			if old, ok := known[made.DiffID]; ok {
				old.CreatedBy = l.CreatedBy
				return old, nil
			}
		}
	}
	b, err := r.sources.Blob(ctx, l.Digest)
	if isNotFound(err) {
		return l, nil // where it is needed, it is built again
	}
	if err != nil {
		return l, err
	}
	defer b.Close()
	all := strings.HasPrefix(l.CreatedBy, "COPY ") || strings.HasPrefix(l.CreatedBy, "ADD ")
	blob := verify.NewReader(reader(b), fmt.Sprintf("layer %q", l.Digest), l.Size, l.Digest)
	made, err := st.Retime(ctx, blob, l.MediaType, r.compression(), *r.opts.Epoch, all)
	if err != nil || made == nil {
		return l, err
	}
	if err := rememberLayer(ctx, st, fmt.Sprintf("%s%d", before, r.opts.Epoch.Unix()), made); err != nil {
		return l, err
	}
	d := made.Descriptor
	l.DiffID, l.Digest, l.MediaType, l.Size = made.DiffID, d.Digest, d.MediaType, d.Size
	r.holders.keep(l, st)
	return l, nil
}

// compression is that of the project's layers.
func (r *run) compression() store.Compression {
	if c := store.Compression(r.plan.Engine.Compression); c != "" {
		return c
	}
	return store.Zstd
}

// settle makes the config name the layers of the image. Those that are not of
// what it is built on are from the epoch: an engine dates a step by when it ran,
// or by the parent where it did not run.
func (p *platformImage) settle(below map[digest.Digest]patch.Layer, epoch time.Time) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(p.config, &fields); err != nil {
		return fmt.Errorf("cannot parse image config: %w", err)
	}
	rootfs := ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{}}
	for n, step := range layerSteps(p.history, len(p.layers)) {
		l := p.layers[n]
		rootfs.DiffIDs = append(rootfs.DiffIDs, l.DiffID)
		if _, ok := below[l.DiffID]; !ok && step != nil {
			step.Created = &epoch
		}
	}
	for key, v := range map[string]any{"rootfs": rootfs, "history": p.history} {
		b, err := json.Marshal(v)
		if err != nil {
			return err
		}
		fields[key] = b
	}
	var err error
	p.config, err = json.Marshal(fields)
	return err
}
