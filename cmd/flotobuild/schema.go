package main

import (
	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/patch/sign"
)

func newSchemaCommand(a *app) *cobra.Command {
	var override, trust bool
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print a JSON Schema for configuration in JSON",
		Long: "schema prints a JSON Schema (draft-07) for files *.floto.hcl.json, with which editors check and\n" +
			"complete them. docs/editors.md says how they find it. With -trust-policy it is the one for trust policies.",
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			if trust {
				a.ui.printf("%s", sign.PolicySchema)
				return nil
			}
			b, err := lang.JSONSchema(override)
			if err != nil {
				return err
			}
			a.ui.printf("%s", b)
			return nil
		},
	}
	cmd.Flags().BoolVar(&override, "override", false, "print the schema for override files, where nothing is required")
	cmd.Flags().BoolVar(&trust, "trust-policy", false, "print the schema for trust policies, which verify -trust takes")
	cmd.MarkFlagsMutuallyExclusive("override", "trust-policy")
	return cmd
}
