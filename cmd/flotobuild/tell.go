package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/cmd/flotobuild/report"
	"github.com/flotobuild/flotobuild/planner"
)

// tellingFlags say how much of a plan is printed.
type tellingFlags struct{ concise, detail bool }

func (f *tellingFlags) define(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.concise, "concise", false, "print a line for each site and each changed image only")
	cmd.Flags().BoolVar(&f.detail, "detail", false, "list every changed file, every layer and every site of a plan, and cut no name")
}

func (f *tellingFlags) check() error {
	if f.concise && f.detail {
		return &hintError{errors.New("cannot print a plan with -concise and -detail at once"), "give one of them"}
	}
	return nil
}

func (f *tellingFlags) level() report.Level {
	switch {
	case f.concise:
		return report.Concise
	case f.detail:
		return report.Detail
	}
	return report.Normal
}

// showPlan prints a plan for people.
func (a *app) showPlan(plan *planner.Plan, vars []planner.PlanVariable, level report.Level) {
	r := report.New(plan, report.Options{Variables: vars})
	a.ui.printf("%s", r.Text(report.TextOptions{Color: a.ui.colorOut, Level: level, Width: terminalWidth(a.ui.out)}))
}

func (a *app) showPlanJSON(plan *planner.Plan) error {
	b, err := planner.Encode(plan)
	if err != nil {
		return fmt.Errorf("cannot print the plan: %w", err)
	}
	a.ui.printJSON(b)
	return nil
}

// writePage writes a plan as a page for browsers.
func writePage(name string, plan *planner.Plan, vars []planner.PlanVariable) error {
	b, err := report.New(plan, report.Options{Variables: vars}).HTML()
	if err == nil {
		err = replaceFile(name, b, 0o644)
	}
	if err != nil {
		return fmt.Errorf("cannot write the page of the plan: %w", err)
	}
	return nil
}
