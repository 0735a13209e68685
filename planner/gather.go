package planner

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/sync/errgroup"

	"github.com/flotobuild/flotobuild/lang"
)

// parallelism bounds the facts that are gathered at once. They wait for disks,
// registries and git rather than for the processor.
const parallelism = 8

// gather collects everything that the images and sites need. References come
// after the images, as those in Dockerfiles are known only then, and what
// travels in conf after them, as the lock file is a part of it.
func (r *resolver) gather(ctx context.Context) error {
	var images []task
	for _, f := range r.images {
		images = append(images, func(ctx context.Context) hcl.Diagnostics { return of(r.gatherImage(ctx, f), f.lang.Address()) })
	}
	diags := runAll(ctx, images)
	diags = append(diags, r.gatherReferences(ctx)...)
	r.keepEnvelopes(&diags, r.gatherEnvelopes(ctx))
	if ctx.Err() == nil && !diags.HasErrors() {
		if err := r.keepLock(); err != nil {
			return err
		}
	}
	r.groupConfs()
	omit := r.omitted()
	var projectErr error
	tasks := []task{func(ctx context.Context) hcl.Diagnostics {
		r.project, projectErr = r.facts.Project(ctx, omit)
		return nil
	}}
	for _, c := range r.confs {
		tasks = append(tasks, func(ctx context.Context) hcl.Diagnostics { return r.gatherConf(ctx, c, omit) })
	}
	diags = append(diags, runAll(ctx, tasks)...)
	r.gatherSizes()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case diags.HasErrors():
		return diags
	case projectErr != nil:
		return fmt.Errorf("cannot read the state of the project: %w", projectErr)
	}
	return nil
}

// gatherSizes asks for the sizes of images that others made.
func (r *resolver) gatherSizes() {
	sizer, ok := r.facts.(Sizer)
	if !ok {
		return
	}
	for _, f := range r.images {
		if src := f.lang.Source; src != nil {
			f.size = sizer.SourceSize(src.Ref, r.byKey[keyOf(src.Ref, src.Version)].digest, f.platforms)
		}
	}
}

type task func(ctx context.Context) hcl.Diagnostics

// runAll runs the tasks, a few at once, and returns their diagnostics in the
// order of the tasks.
func runAll(ctx context.Context, tasks []task) hcl.Diagnostics {
	results := make([]hcl.Diagnostics, len(tasks))
	var g errgroup.Group
	g.SetLimit(parallelism)
	for i, t := range tasks {
		g.Go(func() error {
			if ctx.Err() == nil {
				results[i] = t(ctx)
			}
			return nil
		})
	}
	_ = g.Wait() // tasks return no errors
	return slices.Concat(results...)
}

func (r *resolver) gatherImage(ctx context.Context, f *imageFacts) hcl.Diagnostics {
	switch i := f.lang; {
	case i.Rootfs != nil:
		d, size, err := r.facts.File(ctx, i.Rootfs.Name)
		if err != nil {
			return hcl.Diagnostics{fileProblem(orRange(i.Rootfs.Range, i.Range), "root file system", i.Rootfs.Name, err)}
		}
		f.rootfs = Rootfs{File: i.Rootfs.Name, Digest: d, Size: size}
	case i.Build != nil:
		return r.gatherBuild(ctx, f)
	}
	return nil
}

func (r *resolver) gatherBuild(ctx context.Context, f *imageFacts) hcl.Diagnostics {
	b := f.lang.Build
	subject := orRange(b.Context.Range, f.lang.Range)
	var diags hcl.Diagnostics
	var err error
	f.folder, err = r.facts.Folder(ctx, FolderQuery{
		Dir: b.Context.Name,
		// As BuildKit does it: the Dockerfile's own ignore file goes first.
		IgnoreFiles: []string{dockerfilePath(b) + ".dockerignore", path.Join(b.Context.Name, ".dockerignore")},
	})
	if err != nil {
		diags = append(diags, fileProblem(subject, "build context", b.Context.Name, err))
	} else {
		diags = append(diags, r.gatherDockerfile(ctx, f)...)
	}
	for _, name := range slices.Sorted(maps.Keys(f.contexts)) {
		c := f.contexts[name]
		if c.Dir == nil {
			continue
		}
		f.dirs[name], err = r.facts.Folder(ctx, FolderQuery{
			Dir: c.Dir.Name, IgnoreFiles: []string{path.Join(c.Dir.Name, ".dockerignore")},
		})
		if err != nil {
			diags = append(diags, fileProblem(orRange(c.Dir.Range, f.lang.Range), "build context", c.Dir.Name, err))
		}
	}
	return diags
}

func (r *resolver) gatherDockerfile(ctx context.Context, f *imageFacts) hcl.Diagnostics {
	b := f.lang.Build
	d, err := r.facts.Dockerfile(ctx, DockerfileQuery{
		Dir:       b.Context.Name,
		File:      dockerfilePath(b),
		Target:    b.Target,
		Args:      b.Args,
		Contexts:  slices.Sorted(maps.Keys(f.contexts)),
		Platforms: f.platforms,
	})
	if err != nil {
		return hcl.Diagnostics{fileProblem(f.lang.Range, "Dockerfile", dockerfilePath(b), err)}
	}
	f.dockerfile = d
	return nil
}

func dockerfilePath(b *lang.Build) string { return path.Join(b.Context.Name, b.Dockerfile) }
