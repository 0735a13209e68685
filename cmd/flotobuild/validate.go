package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/planner"
)

func newValidateCommand(a *app) *cobra.Command {
	var vars variableFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Check the configuration and the files that it names",
		Long: "validate reports every problem of the configuration: those of its text, and files,\n" +
			"build contexts and Dockerfiles that are missing or cannot be read. Patches of the\n" +
			"sites are not looked at.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			options, err := vars.read()
			if err != nil {
				return err
			}
			p, err := a.load(cmd.Context(), options, asJSON)
			if err != nil {
				return err
			}
			defer a.finish(p)
			if err := a.checkInputs(cmd.Context(), p, asJSON); err != nil || asJSON {
				return err
			}
			a.ui.printf("%s The configuration is valid: %s, %s.\n", paint(a.ui.colorOut, green, "Success."),
				count(len(p.config.Sites), "site"), count(imageCount(p.config), "image"))
			return nil
		},
	}
	vars.define(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the problems as JSON")
	return cmd
}

// checkInputs reads what the images are made from. With JSON it prints the
// outcome, the warnings of the configuration included.
func (a *app) checkInputs(ctx context.Context, p *project, asJSON bool) error {
	want, err := p.resolve(ctx, planner.Options{})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil {
		// Without parents, as for initial patches.
		if diags := planner.Compile(p.config, nil, want); diags.HasErrors() {
			err = diags
		}
	}
	if err := a.planningErrors(p, asJSON, err); err != nil {
		return err
	}
	if asJSON {
		return a.ui.diagnostics(append(p.warnings, want.Warnings...), p.config.Files, true)
	}
	return a.ui.diagnostics(want.Warnings, p.config.Files, false)
}

func imageCount(cfg *lang.Config) int {
	n := 0
	for _, s := range cfg.ImageSets {
		n += len(s.Images)
	}
	return n
}
