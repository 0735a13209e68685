package executor

import (
	"context"
	"fmt"
	"sync"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
	"github.com/flotobuild/flotobuild/store"
)

// maxLayers is how many layers an image may have for Docker's overlay2 driver.
const maxLayers = 127

// defaultParallelism bounds what is done at once: images made, patches written.
const defaultParallelism = 4

// makeAll makes the plan's images, dependencies first, several at once. After a
// failure what is under way goes on, and with KeepGoing all that does not depend
// on it. All failures are reported, as a *MakeError.
func (r *run) makeAll(ctx context.Context) error {
	slots := make(chan struct{}, r.opts.parallelism())
	jobs := make(map[string]*job)
	for _, img := range r.plan.Images {
		if img.Action != planner.ActionReuse {
			jobs[img.Address] = &job{img: img, done: make(chan struct{})}
		}
	}
	var wg sync.WaitGroup
	for _, j := range jobs {
		wg.Go(func() {
			defer close(j.done)
			j.err = r.runJob(ctx, j, jobs, slots)
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	return r.failures(jobs)
}

type job struct {
	img     *planner.ImagePlan
	done    chan struct{}
	err     error
	skipped bool // err is about other images
}

// skip leaves an image alone.
func (r *run) skip(j *job, err error) error {
	j.skipped = true
	r.observe.tell(Event{Type: EventImageSkipped, Image: j.img.Address, Err: err})
	return err
}

func (r *run) runJob(ctx context.Context, j *job, jobs map[string]*job, slots chan struct{}) error {
	for _, address := range j.img.DependsOn {
		dep := jobs[address]
		if dep == nil {
			continue
		}
		<-dep.done
		if dep.err != nil {
			return r.skip(j, fmt.Errorf("not tried, as %s failed", address))
		}
	}
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-slots }()
	if r.failed.Load() && !r.opts.KeepGoing {
		return r.skip(j, errNotBegun)
	}
	err := r.observed(j.img, func() error { return r.makeOne(ctx, j.img) })
	if err != nil {
		r.failed.Store(true)
	}
	return err
}

func (r *run) makeOne(ctx context.Context, img *planner.ImagePlan) error {
	if !r.carried[img.Address] {
		if have, ok := r.parents.image(ctx, &img.Image); ok {
			return r.takeOver(ctx, img, have)
		}
		r.warnRebuilt(img)
	}
	var m *made
	var err error
	switch img.Kind {
	case planner.KindBuild:
		m, err = r.build(ctx, img)
	case planner.KindRootfs:
		m, err = r.rootfs(ctx, img)
	case planner.KindSource:
		m, err = r.source(ctx, img)
	default:
		err = fmt.Errorf("cannot make %s: unknown kind %q", img.Address, img.Kind)
	}
	if err != nil {
		return err
	}
	return r.keepMade(img, m)
}

// keepMade remembers an image for patches, and for images built on it.
func (r *run) keepMade(img *planner.ImagePlan, m *made) error {
	desc, docs, err := m.describe(img.Name, nil)
	if err != nil {
		return err
	}
	docs.keep(r.docs)
	for _, p := range m.platforms {
		if n := len(p.layers); n > maxLayers {
			r.warn("%s has %d layers, and Docker starts no image with more than %d: join some of its steps", img.Address, n, maxLayers)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bases[img.Address] = desc
	r.made[img.Address] = m
	return nil
}

// takeOver lets a parent's image with the same inputs serve as a base, so that
// what is built on it finds the very layers that it was built on before.
func (r *run) takeOver(ctx context.Context, img *planner.ImagePlan, have patch.Image) error {
	for _, d := range documentsOf(have) {
		b, err := store.ReadBlob(ctx, r.parents.all, d)
		if err != nil {
			return fmt.Errorf("cannot take %s over from a parent: %w", img.Address, err)
		}
		r.docs.add(d.MediaType, b)
	}
	r.holders.hold(have, r.parents.all)
	have.Name, have.Address = img.Name, img.Address
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bases[img.Address] = have
	return nil
}

// documentsOf lists the manifests, configs and cache records of an image.
func documentsOf(i patch.Image) []ocispec.Descriptor {
	d := patch.Description{Flotobuild: patch.Additions{Bases: []patch.Image{i}}}
	return d.Records()
}

// base gives an image of the project that another one is built on.
func (r *run) base(address string) (patch.Image, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	img, ok := r.bases[address]
	if !ok {
		return img, fmt.Errorf("the plan builds on %s and does not provide it", address)
	}
	return img, nil
}
