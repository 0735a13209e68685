package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/executor"
	"github.com/flotobuild/flotobuild/planner"
)

// applyFlags are the flags of apply.
type applyFlags struct {
	buildFlags
	vars        variableFlags
	autoApprove bool
	detail      bool
}

func newApplyCommand(a *app) *cobra.Command {
	var f applyFlags
	cmd := &cobra.Command{
		Use:   "apply",
		Short: "Build what the sites lack and write their patches",
		Long: "apply plans, shows the plan, asks, builds what the sites lack, and writes one patch\n" +
			"file for each site that lacks something. A failure leaves no patch file.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.apply(cmd.Context(), &f) },
	}
	f.vars.define(cmd)
	cmd.Flags().BoolVar(&f.autoApprove, "auto-approve", false, "do not ask before building")
	cmd.Flags().BoolVar(&f.detail, "detail", false, "list every changed file in the plan")
	f.define(cmd, "")
	return cmd
}

func (a *app) apply(ctx context.Context, f *applyFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	epoch, err := sourceDateEpoch(os.Getenv("SOURCE_DATE_EPOCH"))
	if err != nil {
		return err
	}
	vars, err := f.vars.read()
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
	p, err := a.load(ctx, vars, false)
	if err != nil {
		return err
	}
	defer a.finish(p)
	plan, err := a.makePlan(ctx, p, false)
	if err != nil {
		return err
	}
	if err := a.showPlan(plan, false, f.detail); err != nil || !hasChanges(plan) {
		return err
	}
	if err := a.approve(ctx, f.autoApprove); err != nil {
		return err
	}
	return a.carryOut(ctx, p, plan, f, epoch)
}

// carryOut builds and writes, shows progress meanwhile, and sums up.
func (a *app) carryOut(ctx context.Context, p *project, plan *planner.Plan, f *applyFlags, epoch *time.Time) error {
	a.keep(p) // before the builds, which may be killed
	progress, err := executor.NewProgress(os.Stderr, f.progress)
	if err != nil {
		return err
	}
	result, err := executor.Apply(ctx, plan, a.buildOptions(p, plan, &f.buildFlags, epoch, progress))
	if perr := progress.Close(); perr != nil && err == nil {
		a.ui.warnf("progress could not be shown: %v", perr)
	}
	if result == nil {
		if ctx.Err() == nil {
			a.ui.notef("\nNo patch was written.")
		}
		return err
	}
	a.interruptNote = ""
	for _, w := range result.Warnings {
		a.ui.warnf("%s", w)
	}
	s := &summary{result: result, dir: p.dir, color: a.ui.colorOut}
	a.ui.printf("%s", s.render())
	return err
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
