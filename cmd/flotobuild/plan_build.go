package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/executor"
	"github.com/flotobuild/flotobuild/planner"
)

// planBuild is plan -build with the flags that belong to it.
type planBuild struct {
	buildFlags
	on    bool
	epoch *time.Time
}

func (b *planBuild) define(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&b.on, "build", false, "build, and print a plan that is exact to the byte")
	b.buildFlags.define(cmd, "with -build, ")
}

// beginBuild checks the flags and takes the project's lock, as apply does. Where
// nothing is built, it refuses flags that would have no effect. end frees the
// lock.
func (a *app) beginBuild(cmd *cobra.Command, b *planBuild) (end func(), err error) {
	if !b.on {
		for _, name := range []string{"no-daemon", "parallelism", "progress", "memory", "keep-going", "lock-timeout"} {
			if cmd.Flags().Changed(name) {
				return nil, &hintError{fmt.Errorf("cannot use -%s: plan builds nothing", name), "give -build, too"}
			}
		}
		return func() {}, nil
	}
	if err := b.check(); err != nil {
		return nil, err
	}
	if b.epoch, err = sourceDateEpoch(os.Getenv("SOURCE_DATE_EPOCH")); err != nil {
		return nil, err
	}
	dir, err := projectDir()
	if err != nil {
		return nil, err
	}
	a.interruptNote = ": no patch was written"
	return lockProject(cmd.Context(), dataDir(dir), "flotobuild plan -build", b.lockTimeout)
}

// buildPlan builds what a plan says and makes the plan exact.
func (a *app) buildPlan(ctx context.Context, p *project, plan *planner.Plan, b *planBuild, asJSON bool) (*planner.Plan, error) {
	a.keep(p) // before the builds, which may be killed
	progress, err := executor.NewProgress(os.Stderr, b.progress)
	if err != nil {
		return nil, err
	}
	rehearsal, err := executor.Build(ctx, plan, a.buildOptions(p, plan, &b.buildFlags, b.epoch, progress))
	if perr := progress.Close(); perr != nil && err == nil {
		a.ui.warnf("progress could not be shown: %v", perr)
	}
	if rehearsal == nil {
		return nil, err
	}
	for _, w := range rehearsal.Warnings {
		a.warnf("%s", w)
	}
	if err != nil {
		return nil, err
	}
	exact := planner.Refine(plan, p.descriptions(), &rehearsal.Built)
	// The build decides what an estimate could only warn of.
	p.violations = planner.CheckPolicy(p.config, exact, p.signatures)
	if p.violations.HasErrors() {
		return exact, a.report(p.violations, p.config, asJSON)
	}
	return exact, nil
}
