package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/executor"
	"github.com/flotobuild/flotobuild/executor/engine"
	"github.com/flotobuild/flotobuild/planner"
)

// applyFlags are the flags of apply.
type applyFlags struct {
	vars        variableFlags
	locking     lockFlags
	autoApprove bool
	detail      bool
	noDaemon    bool
	parallelism int
	progress    string
	lockTimeout time.Duration
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
	f.locking.define(cmd)
	cmd.Flags().BoolVar(&f.autoApprove, "auto-approve", false, "do not ask before building")
	cmd.Flags().BoolVar(&f.detail, "detail", false, "list every changed file in the plan")
	cmd.Flags().BoolVar(&f.noDaemon, "no-daemon", false, "run the embedded build engine inside this process; needs root")
	cmd.Flags().IntVar(&f.parallelism, "parallelism", 4, "make at most `N` images at once")
	cmd.Flags().StringVar(&f.progress, "progress", "auto", "how builds are shown: `MODE` is "+strings.Join(executor.ProgressModes, ", "))
	// The only error is a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc("progress", cobra.FixedCompletions(executor.ProgressModes, cobra.ShellCompDirectiveNoFileComp))
	cmd.Flags().DurationVar(&f.lockTimeout, "lock-timeout", 0, "wait so long for another apply in this project, such as 30s")
	return cmd
}

// check refuses what can be refused before anything is read.
func (f *applyFlags) check() error {
	if !slices.Contains(executor.ProgressModes, f.progress) {
		return &hintError{
			fmt.Errorf("there is no progress mode %q", f.progress),
			"-progress is one of " + strings.Join(executor.ProgressModes, ", "),
		}
	}
	if f.parallelism < 1 {
		return fmt.Errorf("cannot make %d images at once: -parallelism must be 1 or more", f.parallelism)
	}
	return f.locking.check()
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
	f.locking.held = true
	p, err := a.load(ctx, vars, false)
	if err != nil {
		return err
	}
	defer a.finish(p)
	plan, err := a.makePlan(ctx, p, &f.locking, false)
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
	opts := p.executorOptions(plan)
	opts.Engine.InProcess = f.noDaemon
	opts.Epoch, opts.Parallelism, opts.Progress = epoch, f.parallelism, progress
	opts.Recheck = func(ctx context.Context) error { return p.recheck(ctx, plan) }
	result, err := executor.Apply(ctx, plan, opts)
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

// executorOptions are those that every command with builds has.
func (p *project) executorOptions(plan *planner.Plan) executor.Options {
	return executor.Options{
		Dir:      p.dir,
		StoreDir: filepath.Join(p.dataDir, "store"),
		Engine:   engine.Options{Hosts: engineHosts(plan.Engine.Hosts), Version: version},
		Now:      time.Now(),
		Producer: producer,
		Render: func(site string, images map[string]digest.Digest, info planner.PatchInfo) (map[string][]byte, error) {
			return planner.Render(p.config, site, images, info)
		},
	}
}

// engineHosts gives the build engines: BUILDKIT_HOST, or the configuration's.
func engineHosts(configured []string) []string {
	if host := os.Getenv("BUILDKIT_HOST"); host != "" {
		return []string{host}
	}
	return configured
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
