package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/executor"
)

// applyFlags are the flags of apply.
type applyFlags struct {
	vars        variableFlags
	locking     lockFlags
	selection   selectionFlags
	autoApprove bool
	detail      bool
	asJSON      bool
	keepGoing   bool
	noDaemon    bool
	metadata    string
	parallelism int
	progress    string
	lockTimeout time.Duration
}

func (f *applyFlags) define(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.autoApprove, "auto-approve", false, "do not ask before building")
	cmd.Flags().BoolVar(&f.detail, "detail", false, "list every changed file in the plan")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print what happens as lines of JSON; needs -auto-approve or a plan file")
	cmd.Flags().BoolVar(&f.keepGoing, "keep-going", false, "after a failure build everything that does not depend on it; nothing is written all the same")
	cmd.Flags().StringVar(&f.metadata, "metadata-file", "", "write the results to `FILE` as JSON")
	cmd.Flags().BoolVar(&f.noDaemon, "no-daemon", false, "run the embedded build engine inside this process; needs root")
	cmd.Flags().IntVar(&f.parallelism, "parallelism", 4, "make at most `N` images at once")
	cmd.Flags().StringVar(&f.progress, "progress", "auto", "how builds are shown: `MODE` is "+strings.Join(executor.ProgressModes, ", "))
	// The only error is a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc("progress", cobra.FixedCompletions(executor.ProgressModes, cobra.ShellCompDirectiveNoFileComp))
	cmd.Flags().DurationVar(&f.lockTimeout, "lock-timeout", 0, "wait so long for another apply in this project, such as 30s")
}

// check refuses what can be refused before anything is read. args are the
// command's words: a plan file, or none.
func (f *applyFlags) check(args []string) error {
	if len(args) > 1 {
		return &hintError{fmt.Errorf("apply takes one plan file, not %d", len(args)), "usage: flotobuild apply [PLANFILE] [flags]"}
	}
	if !slices.Contains(executor.ProgressModes, f.progress) {
		return &hintError{
			fmt.Errorf("there is no progress mode %q", f.progress),
			"-progress is one of " + strings.Join(executor.ProgressModes, ", "),
		}
	}
	if err := f.locking.check(); err != nil {
		return err
	}
	if f.parallelism < 1 {
		return fmt.Errorf("cannot make %d images at once: -parallelism must be 1 or more", f.parallelism)
	}
	if len(args) == 1 && !f.selection.Empty() {
		return &hintError{
			errors.New("cannot apply a part of a saved plan with -target or -exclude"),
			"make the plan with them: flotobuild plan -out=FILE -target=ADDRESS",
		}
	}
	if len(args) == 1 && f.locking.upgrade {
		return &hintError{
			errors.New("cannot upgrade the lock file with a saved plan"),
			"make the plan with it: flotobuild plan -out=FILE -upgrade",
		}
	}
	if f.asJSON && len(args) == 0 && !f.autoApprove {
		return &hintError{
			errors.New("cannot ask for approval with -json"),
			"give apply -auto-approve, or a plan file: flotobuild plan -out=FILE",
		}
	}
	if f.metadata == "" {
		return nil
	}
	return checkOut("metadata-file", f.metadata, looksLikeMetadata)
}
