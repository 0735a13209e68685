package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/lang"
)

// varsFormat is the version of the JSON form.
const varsFormat = 1

type jsonVariables struct {
	FormatVersion int            `json:"formatVersion"`
	Variables     []jsonVariable `json:"variables"`
}

type jsonVariable struct {
	Name        string `json:"name"`
	Value       string `json:"value"` // in the syntax of the language
	Origin      string `json:"origin"`
	Sensitive   bool   `json:"sensitive,omitempty"`
	Description string `json:"description,omitempty"`
}

func newVarsCommand(a *app) *cobra.Command {
	var vars variableFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "vars",
		Short: "List the variables, their values, and where these come from",
		Long:  "vars lists every variable of the project with its value and where the value came from.\nSensitive values are masked.",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			options, err := vars.read()
			if err != nil {
				return err
			}
			p, err := a.load(cmd.Context(), options, asJSON)
			if err != nil {
				return err
			}
			defer a.keep(p)
			return a.printVariables(p.config.Variables, asJSON)
		},
	}
	vars.define(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the variables as JSON")
	return cmd
}

func (a *app) printVariables(vars []*lang.Variable, asJSON bool) error {
	if asJSON {
		out := jsonVariables{FormatVersion: varsFormat, Variables: []jsonVariable{}}
		for _, v := range vars {
			out.Variables = append(out.Variables, jsonVariable{v.Name, v.Text(), v.Origin, v.Sensitive, v.Description})
		}
		b, err := json.MarshalIndent(out, "", "  ")
		if err != nil {
			return fmt.Errorf("cannot print variables: %w", err)
		}
		a.ui.printJSON(b)
		return nil
	}
	w := tabwriter.NewWriter(a.ui.out, 0, 0, 2, ' ', 0)
	for _, v := range vars {
		fmt.Fprintf(w, "%s\t= %s\t# %s\n", v.Name, safe(v.Text()), safe(v.Origin))
	}
	return w.Flush()
}
