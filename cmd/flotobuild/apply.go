package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/cmd/flotobuild/report"
	"github.com/flotobuild/flotobuild/executor"
	"github.com/flotobuild/flotobuild/planner"
)

func newApplyCommand(a *app) *cobra.Command {
	var f applyFlags
	cmd := &cobra.Command{
		Use:   "apply [PLANFILE]",
		Short: "Build what the sites lack and write their patches",
		Long: "apply plans, shows the plan, asks, builds what the sites lack, and writes one patch\n" +
			"file for each site that lacks something. With a plan file, which plan -out has made,\n" +
			"it does what that says without asking, or refuses it where anything has changed\n" +
			"since. A failure leaves no patch file.",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return a.apply(cmd.Context(), &f, args) },
	}
	f.vars.define(cmd)
	f.locking.define(cmd)
	f.selection.define(cmd)
	defineParents(cmd, &f.parents)
	f.trust.defineParentTrust(cmd)
	f.define(cmd)
	return cmd
}

// applied is what apply has come to.
type applied struct {
	project *project
	plan    *planner.Plan
	result  *executor.Result
}

// apply carries out the command, and tells of its end in the ways that the
// flags ask for.
func (a *app) apply(ctx context.Context, f *applyFlags, args []string) error {
	if err := f.check(args); err != nil {
		return err
	}
	if f.asJSON {
		a.events = newEventWriter(a.ui.out)
		a.ui.out, a.ui.colorOut = a.ui.err, a.ui.colorErr
	}
	var done applied
	err := a.planAndApply(ctx, f, args, &done)
	if f.metadata != "" {
		if merr := a.writeMetadata(ctx, f.metadata, &done, err); merr != nil {
			a.ui.fail(merr)
			err = cmp.Or(err, error(exitError(1)))
		}
	}
	a.events.finish(ctx, done.result, err)
	return err
}

func (a *app) planAndApply(ctx context.Context, f *applyFlags, args []string, done *applied) error {
	epoch, err := sourceDateEpoch(os.Getenv("SOURCE_DATE_EPOCH"))
	if err != nil {
		return err
	}
	if f.metadata != "" {
		if err := a.ownFile(f.metadata); err != nil {
			return err
		}
	}
	if a.trust, err = f.trust.read(); err != nil {
		return err
	}
	vars, err := f.vars.read()
	if err != nil {
		return err
	}
	saved, vars, err := a.savedPlan(args, vars)
	if err != nil {
		return err
	}
	dir, err := projectDir()
	if err != nil {
		return err
	}
	a.interruptNote = ": nothing was written"
	unlock, err := lockProject(ctx, dataDir(dir), "flotobuild apply", f.lockTimeout)
	if err != nil {
		return err
	}
	defer unlock()
	f.locking.held = true
	p, err := a.load(ctx, vars, false)
	if err != nil {
		return savedHint(saved, err)
	}
	defer a.finish(p)
	done.project = p
	if err := p.readOutputs(); err != nil {
		return err
	}
	if done.plan, err = a.planFor(ctx, p, f, saved); err != nil {
		return err
	}
	a.events.planned(done.plan)
	a.showPlan(done.plan, planVariables(p.config.Variables), f.telling.level())
	if !report.Changes(done.plan) {
		return nil
	}
	if err := a.approve(ctx, f.autoApprove || saved != nil); err != nil {
		return err
	}
	done.result, err = a.carryOut(ctx, p, done.plan, f, epoch)
	return err
}

// readOutputs looks at the output folders before the parents are chosen from
// them.
func (p *project) readOutputs() error {
	var dirs []string
	for _, s := range p.config.Sites {
		dir := filepath.FromSlash(s.Patch.Output.Name)
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(p.dir, dir)
		}
		dirs = append(dirs, dir)
	}
	var err error
	p.outputs, err = executor.ReadOutputs(dirs)
	return err
}

// planFor gives the saved plan, or makes one.
func (a *app) planFor(ctx context.Context, p *project, f *applyFlags, saved *planner.PlanFile) (*planner.Plan, error) {
	if saved != nil {
		return a.bindSaved(ctx, p, saved)
	}
	if err := a.overrideParents(p, f.parents, false); err != nil {
		return nil, err
	}
	if err := p.choose(f.selection.Selection); err != nil {
		return nil, err
	}
	return a.makePlan(ctx, p, &f.locking, false)
}

// carryOut builds and writes, shows progress meanwhile, and sums up.
func (a *app) carryOut(ctx context.Context, p *project, plan *planner.Plan, f *applyFlags, epoch *time.Time) (*executor.Result, error) {
	keys, err := a.planKeys(ctx, p.dir, plan, &f.passphrase) // before hours of building
	if err != nil {
		return nil, err
	}
	a.keep(p) // before the builds, which may be killed
	progress, err := executor.NewProgress(os.Stderr, f.progress)
	if err != nil {
		return nil, err
	}
	opts := a.buildOptions(p, plan, &f.buildFlags, epoch, progress)
	opts.Keys = keys
	result, err := executor.Apply(ctx, plan, opts)
	if perr := progress.Close(); perr != nil && err == nil {
		a.ui.warnf("progress could not be shown: %v", perr)
	}
	if result == nil {
		if ctx.Err() == nil {
			a.ui.notef("\nNo patch was written.")
		}
		return nil, a.oversize(p, err)
	}
	a.interruptNote = ""
	for _, w := range result.Warnings {
		a.warnf("%s", w)
	}
	s := &summary{result: result, dir: p.dir, color: a.ui.colorOut}
	a.ui.printf("%s", s.render())
	return result, err
}

// sourceDateEpoch reads SOURCE_DATE_EPOCH: seconds since 1970, see
// https://reproducible-builds.org/specs/source-date-epoch/.
func sourceDateEpoch(text string) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	// The last second of the year 9999, as JSON can hold it.
	const most = 253402300799
	n, err := strconv.ParseInt(text, 10, 64)
	if err == nil && (n < 0 || n > most) {
		err = errors.New("out of range")
	}
	if err != nil {
		return nil, &hintError{
			fmt.Errorf("cannot use SOURCE_DATE_EPOCH=%q: it is no number of seconds since 1970", text),
			"set it with: export SOURCE_DATE_EPOCH=$(git log -1 --format=%ct), or unset it",
		}
	}
	t := time.Unix(n, 0).UTC()
	return &t, nil
}
