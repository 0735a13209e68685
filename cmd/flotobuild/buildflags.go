package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/envelope"
	"github.com/flotobuild/flotobuild/executor"
	"github.com/flotobuild/flotobuild/executor/engine"
	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/planner"
)

// buildFlags are the flags of commands that build.
type buildFlags struct {
	noDaemon    bool
	parallelism int
	progress    string
	keepGoing   bool
	lockTimeout time.Duration
	memory      string
}

// define adds the flags; with says when they count, where that is not always.
func (f *buildFlags) define(cmd *cobra.Command, with string) {
	cmd.Flags().BoolVar(&f.noDaemon, "no-daemon", false, with+"run the embedded build engine inside this process; needs root")
	cmd.Flags().IntVar(&f.parallelism, "parallelism", 4, with+"make at most `N` images, and write as many patches, at once")
	cmd.Flags().BoolVar(&f.keepGoing, "keep-going", false, with+"after a failure build everything that does not depend on it; no patch is written all the same")
	cmd.Flags().StringVar(&f.memory, "memory", "768MiB", with+"making a delta takes about `SIZE` of memory; less makes larger ones of large files")
	cmd.Flags().StringVar(&f.progress, "progress", "auto", with+"how builds are shown: `MODE` is "+strings.Join(executor.ProgressModes, ", "))
	// The only error is a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc("progress", cobra.FixedCompletions(executor.ProgressModes, cobra.ShellCompDirectiveNoFileComp))
	cmd.Flags().DurationVar(&f.lockTimeout, "lock-timeout", 0, with+"wait so long for another build in this project, such as 30s")
}

// check refuses what can be refused before anything is read.
func (f *buildFlags) check() error {
	if !slices.Contains(executor.ProgressModes, f.progress) {
		return &hintError{
			fmt.Errorf("there is no progress mode %q", f.progress),
			"-progress is one of " + strings.Join(executor.ProgressModes, ", "),
		}
	}
	if f.parallelism < 1 {
		return fmt.Errorf("cannot make %d images at once: -parallelism must be 1 or more", f.parallelism)
	}
	if n, err := lang.ParseSize(f.memory); err != nil || n <= 0 {
		return &hintError{fmt.Errorf("cannot make deltas in %q of memory", f.memory), "-memory is a size such as 512MiB"}
	}
	return nil
}

// buildOptions are what a build needs besides the plan.
func (a *app) buildOptions(p *project, plan *planner.Plan, f *buildFlags, epoch *time.Time, progress *executor.Progress) executor.Options {
	opts := p.executorOptions(plan)
	opts.Engine.InProcess = f.noDaemon
	opts.Epoch, opts.Parallelism, opts.KeepGoing = epoch, f.parallelism, f.keepGoing
	opts.Progress = progress
	opts.Observe = func(e executor.Event) {
		if e.File != "" {
			e.File = p.relative(e.File)
		}
		a.events.observe(e)
	}
	opts.LockTimeout = f.lockTimeout
	opts.Memory, _ = lang.ParseSize(f.memory) // checked before
	f.limitMemory(opts.Memory)
	opts.Recheck = func(ctx context.Context) error { return p.recheck(ctx, plan) }
	return opts
}

// The least that a delta takes, and what the program does besides, in bytes.
const (
	leastMemory   = 64 << 20
	programMemory = 128 << 20
)

// limitMemory has garbage collected in time where deltas take the memory that they
// may: else as much of it may gather as is in use. GOMEMLIMIT goes before that, and
// an engine inside this process has needs of its own.
func (f *buildFlags) limitMemory(memory int64) {
	if os.Getenv("GOMEMLIMIT") == "" && !f.noDaemon && memory < math.MaxInt64-programMemory {
		debug.SetMemoryLimit(max(memory, leastMemory) + programMemory)
	}
}

// executorOptions are those that every command with builds has.
func (p *project) executorOptions(plan *planner.Plan) executor.Options {
	return executor.Options{
		Dir:       p.dir,
		StoreDir:  filepath.Join(p.dataDir, "store"),
		DeltaDir:  filepath.Join(p.dataDir, "deltas"),
		Opener:    p.opener,
		Engine:    engine.Options{Hosts: engineHosts(plan.Engine.Hosts), Version: version},
		Now:       time.Now(),
		Producer:  producer,
		Outputs:   p.outputs,
		DigestKey: p.digestKey,
		Define:    func(address string) (*envelope.Definition, error) { return planner.Definition(p.config, address) },
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
