package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/planner"
)

func newPlanCommand(a *app) *cobra.Command {
	var vars variableFlags
	var asJSON, detailedExitCode, detail bool
	var parents []string
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what the next patches would hold",
		Long: "plan compares what the sites should have with their newest patches, and prints what\n" +
			"the next patches would hold and why. It builds nothing and needs no build engine.",
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
			if err := a.overrideParents(p, parents, asJSON); err != nil {
				return err
			}
			plan, err := a.makePlan(cmd.Context(), p, asJSON)
			if err != nil {
				return err
			}
			if err := a.showPlan(plan, asJSON, detail); err != nil {
				return err
			}
			if detailedExitCode && hasChanges(plan) {
				return exitError(exitChanges)
			}
			return nil
		},
	}
	vars.define(cmd)
	defineParents(cmd, &parents)
	cmd.Flags().BoolVar(&detailedExitCode, "detailed-exitcode", false, "exit with 2 when there are changes")
	cmd.Flags().BoolVar(&detail, "detail", false, "list every changed file")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the plan as JSON")
	return cmd
}

func (a *app) showPlan(plan *planner.Plan, asJSON, detail bool) error {
	if !asJSON {
		r := &planRenderer{plan: plan, color: a.ui.colorOut, detail: detail}
		a.ui.printf("%s", r.render())
		return nil
	}
	b, err := planner.Encode(plan)
	if err != nil {
		return fmt.Errorf("cannot print the plan: %w", err)
	}
	a.ui.printJSON(b)
	return nil
}

// hasChanges tells whether some site needs a patch.
func hasChanges(plan *planner.Plan) bool {
	for _, s := range plan.Sites {
		if s.Change != planner.ChangeNone {
			return true
		}
	}
	return false
}
