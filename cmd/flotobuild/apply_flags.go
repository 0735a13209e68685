package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// applyFlags are the flags of apply.
type applyFlags struct {
	buildFlags
	vars        variableFlags
	locking     lockFlags
	selection   selectionFlags
	parents     []string
	trust       trustFlags
	autoApprove bool
	telling     tellingFlags
	asJSON      bool
	metadata    string
	passphrase  passphraseFlags
}

func (f *applyFlags) define(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.autoApprove, "auto-approve", false, "do not ask before building")
	f.telling.define(cmd)
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print what happens as lines of JSON; needs -auto-approve or a plan file")
	cmd.Flags().StringVar(&f.metadata, "metadata-file", "", "write the results to `FILE` as JSON")
	f.passphrase.define(cmd)
	f.buildFlags.define(cmd, "")
}

// check refuses what can be refused before anything is read. args are the
// command's words: a plan file, or none.
func (f *applyFlags) check(args []string) error {
	if len(args) > 1 {
		return &hintError{fmt.Errorf("apply takes one plan file, not %d", len(args)), "usage: flotobuild apply [PLANFILE] [flags]"}
	}
	if err := f.buildFlags.check(); err != nil {
		return err
	}
	if err := f.telling.check(); err != nil {
		return err
	}
	if err := f.locking.check(); err != nil {
		return err
	}
	if len(args) == 1 && !f.selection.Empty() {
		return &hintError{
			errors.New("cannot apply a part of a saved plan with -target or -exclude"),
			"make the plan with them: flotobuild plan -out=FILE -target=ADDRESS",
		}
	}
	if len(args) == 1 && len(f.parents) > 0 {
		return &hintError{
			errors.New("cannot change the parents of a saved plan with -parent"),
			"make the plan with it: flotobuild plan -out=FILE -parent=VALUE",
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
