package main

import (
	"fmt"
	"os"
	"sync"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/patch/sign"
)

// An app is what the commands share.
type app struct {
	ui *ui

	chdir   string
	noColor bool
	keys    keyring
	damaged sync.Map // volumes that the user was told of

	// trust, when set, is what parents must be signed as.
	trust *sign.Policy

	// own are files that the command writes, or that say what it does: plan and
	// metadata files. They are no part of the project.
	own []string
	// events, when set, gets what happens as lines of JSON.
	events *eventWriter

	// interruptNote says after an interrupt what became of the command's work.
	interruptNote string
}

func newRootCommand(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "flotobuild",
		Short: "Build patch files for container systems at sites without a network",
		Long: "flotobuild builds patch files for container systems at sites without a network.\n" +
			"A project folder says what the sites should have; a patch carries what they lack.",
		SilenceUsage:      true,
		SilenceErrors:     true,
		Args:              cobra.ArbitraryArgs,
		PersistentPreRunE: func(*cobra.Command, []string) error { return a.begin() },
		RunE:              withoutCommand,
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &hintError{err, cmd.CommandPath() + " -h lists the flags"}
	})
	root.PersistentFlags().StringVar(&a.chdir, "chdir", "", "work in this folder instead of the current one (`DIR`)")
	root.PersistentFlags().BoolVar(&a.noColor, "no-color", false, "print without colours")
	root.PersistentFlags().StringArrayVar(&a.keys.files, "identity", nil, "decrypt patches with the private keys in this `FILE`, of age or SSH; may stand several times")
	root.AddCommand(
		newInitCommand(a), newValidateCommand(a), newManifestCommand(a), newPlanCommand(a), newApplyCommand(a),
		newShowCommand(a), newVerifyCommand(a), newConvertCommand(a), newEngineCommand(a), newVersionCommand(a),
		newDiffCommand(a), newMergeCommand(a), newRebaseCommand(a), newExtractCommand(a),
		newKeygenCommand(a), newSignCommand(a), newReceiptCommand(a),
		newRewrapCommand(a),
		newFmtCommand(a), newVarsCommand(a), newConsoleCommand(a), newGraphCommand(a),
		newSplitCommand(a), newJoinCommand(a), newSchemaCommand(a), newLSPCommand(a),
		newEnvelopeCommand(a), newSiteCommand(a), newDeltaCommand(a),
	)
	return root
}

// withoutCommand prints the help for an empty command line and refuses words
// that are no command.
func withoutCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	err := fmt.Errorf("there is no command %q", args[0])
	hint := "flotobuild -h lists the commands"
	if cmd.HasParent() {
		err = fmt.Errorf("%s has no command %q", cmd.CommandPath(), args[0])
		hint = cmd.CommandPath() + " -h lists them"
	}
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf("did you mean %q?", near[0])
	}
	return &hintError{err, hint}
}

// begin carries out the global flags.
func (a *app) begin() error {
	if a.noColor {
		a.ui.noColor()
	}
	if a.chdir == "" {
		return nil
	}
	if err := os.Chdir(a.chdir); err != nil {
		return fmt.Errorf("cannot work in the folder that -chdir names: %w", err)
	}
	return nil
}

// noArguments refuses words behind a command that takes flags only.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return &hintError{
		fmt.Errorf("%s takes no argument, but %q stands there", cmd.CommandPath(), args[0]),
		cmd.CommandPath() + " -h lists its flags",
	}
}
