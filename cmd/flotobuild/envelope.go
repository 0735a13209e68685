package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/envelope"
)

func newEnvelopeCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "envelope",
		Short: "Build, check, open and serve EVE-OS patch envelopes",
		Long: "envelope works on patch envelopes, which change data inside running applications of EVE-OS\n" +
			"devices without a new image. docs/envelopes.md shows how.",
		Args: cobra.ArbitraryArgs,
		RunE: withoutCommand,
	}
	cmd.AddCommand(
		newEnvelopeSealCommand(a), newEnvelopeShowCommand(a), newEnvelopeOpenCommand(a),
		newEnvelopeCheckCommand(a), newEnvelopeMergeCommand(a), newEnvelopeServeCommand(a),
	)
	return cmd
}

// problems prints findings about envelopes, and tells whether one is an error.
func (a *app) problems(found []envelope.Problem) bool {
	for _, p := range found {
		text := p.Summary + ": " + p.Detail
		if where := p.Where(); where != "" {
			text = where + ": " + text
		}
		if p.Severity == envelope.Error {
			a.ui.errorf("%s", text)
		} else {
			a.ui.warnf("%s", text)
		}
	}
	return envelope.HasErrors(found)
}

// envelopeFiles demands files with envelopes.
func envelopeFiles(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return nil
	}
	return &hintError{fmt.Errorf("%s needs a file with envelopes", cmd.CommandPath()), "usage: " + strings.TrimSuffix(cmd.UseLine(), " [flags]")}
}
