package executor

import (
	"context"
	"errors"
	"fmt"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

// A Rehearsal is what Apply would do, found by doing all but the writing.
type Rehearsal struct {
	// Built is what planner.Refine makes the plan exact with.
	Built  planner.Built
	Images []ImageResult // those that were made
	// Warnings are sentences for the user, as those of Result.
	Warnings []string
}

// Build makes the images of a plan as Apply does, and tells what Apply would
// write without writing it: engine and local store keep what was made, so that
// an Apply after it is quick. Of a built image only manifests and configs leave
// the engine, save for layers that another project had compressed in another
// way: they have to be compressed anew to tell their size.
func Build(ctx context.Context, plan *planner.Plan, opts Options) (*Rehearsal, error) {
	r, err := newRun(ctx, plan, opts)
	if err != nil {
		return nil, err
	}
	result, err := r.rehearse(ctx)
	return result, errors.Join(err, r.close())
}

func (r *run) rehearse(ctx context.Context) (*Rehearsal, error) {
	// Milliseconds are all that a patch records.
	r.opts.Now = patch.NewTime(r.opts.Now).Time
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	sites := make(map[string]planner.BuiltSite)
	for _, s := range r.plan.Sites {
		b, err := r.rehearseSite(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("cannot make the patch of site %q: %w", s.Name, err)
		}
		if b != nil {
			sites[s.Name] = *b
		}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return &Rehearsal{
		Built: planner.Built{
			Created: patch.NewTime(r.opts.created()), Epoch: r.opts.Epoch != nil,
			Sites: sites, Steps: r.origins(),
		},
		Images: r.imageResults(), Warnings: r.warnings,
	}, nil
}

func (r *run) rehearseSite(ctx context.Context, s *planner.SitePlan) (*planner.BuiltSite, error) {
	d, err := r.draft(ctx, s)
	if err != nil || d == nil {
		return nil, err
	}
	n, err := r.measure(ctx, d)
	if err != nil {
		return nil, err
	}
	b := &planner.BuiltSite{Description: d.desc, Size: n}
	l, err := layout(d, n)
	if l != nil {
		b.Volumes = l.Volumes()
	}
	return b, err
}
