package main

import (
	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/lang"
)

func newSchemaCommand(a *app) *cobra.Command {
	var override bool
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print a JSON Schema for configuration in JSON",
		Long: "schema prints a JSON Schema (draft-07) for files *.floto.hcl.json, with which editors check and\n" +
			"complete them. docs/editors.md says how they find it.",
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			b, err := lang.JSONSchema(override)
			if err != nil {
				return err
			}
			a.ui.printf("%s", b)
			return nil
		},
	}
	cmd.Flags().BoolVar(&override, "override", false, "print the schema for override files, where nothing is required")
	return cmd
}
