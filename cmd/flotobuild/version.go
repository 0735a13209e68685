package main

import (
	"encoding/json"
	"runtime"

	"github.com/spf13/cobra"
)

// version is flotobuild's own semantic version, the only place that states it.
const version = "0.1.0"

// producer is what patches name as their maker.
const producer = "flotobuild " + version

func newVersionCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			if !asJSON {
				a.ui.printf("flotobuild %s\n", version)
				return nil
			}
			b, err := json.MarshalIndent(map[string]any{
				"formatVersion": 1,
				"version":       version,
				"platform":      runtime.GOOS + "/" + runtime.GOARCH,
				"go":            runtime.Version(),
			}, "", "  ")
			if err != nil {
				return err
			}
			a.ui.printJSON(b)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
