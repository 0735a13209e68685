package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/cmd/flotobuild/report"
	"github.com/flotobuild/flotobuild/planner"
)

// planFlags are the flags of plan.
type planFlags struct {
	vars             variableFlags
	locking          lockFlags
	build            planBuild
	selection        selectionFlags
	parents          []string
	trust            trustFlags
	out              string
	asJSON           bool
	telling          tellingFlags
	html             string
	detailedExitCode bool
}

func newPlanCommand(a *app) *cobra.Command {
	var f planFlags
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what the next patches would hold",
		Long: "plan compares what the sites should have with their newest patches, and prints what\n" +
			"the next patches would hold and why. It builds nothing and needs no build engine;\n" +
			"sizes are estimates then, marked with ~. With -build it builds as apply does, writes\n" +
			"no patch, and is exact: every layer, why it is new, and the bytes of every patch.\n" +
			"What image references were resolved to is kept in .flotobuild.lock.hcl.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.plan(cmd, &f) },
	}
	f.vars.define(cmd)
	f.locking.define(cmd)
	f.selection.define(cmd)
	defineParents(cmd, &f.parents)
	f.trust.defineParentTrust(cmd)
	f.build.define(cmd)
	cmd.Flags().StringVar(&f.out, "out", "", "save the plan to `FILE`, for apply; a name that ends in "+planner.PlanExtension+" never travels in a patch")
	cmd.Flags().BoolVar(&f.detailedExitCode, "detailed-exitcode", false, "exit with 2 when there are changes")
	f.telling.define(cmd)
	cmd.Flags().StringVar(&f.html, "html", "", "write the plan to `FILE` as a page for browsers, also where it violates a policy; a name that ends in "+planner.PageExtension+" never travels in a patch")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print the plan as JSON")
	return cmd
}

func (a *app) plan(cmd *cobra.Command, f *planFlags) error {
	ctx := cmd.Context()
	if err := a.checkPlanFlags(f); err != nil {
		return err
	}
	options, err := f.vars.read()
	if err != nil {
		return err
	}
	if a.trust, err = f.trust.read(); err != nil {
		return err
	}
	end, err := a.beginBuild(cmd, &f.build)
	if err != nil {
		return err
	}
	defer end()
	f.locking.held = f.build.on
	p, err := a.load(ctx, options, f.asJSON)
	if err != nil {
		return err
	}
	defer a.finish(p)
	if err := a.overrideParents(p, f.parents, f.asJSON); err != nil {
		return err
	}
	if err := p.choose(f.selection.Selection); err != nil {
		return err
	}
	plan, err := a.makePlan(ctx, p, &f.locking, f.asJSON)
	if err == nil && f.build.on {
		plan, err = a.buildPlan(ctx, p, plan, &f.build, f.asJSON)
	}
	if plan != nil && f.html != "" {
		err = errors.Join(err, writePage(f.html, plan, planVariables(p.config.Variables)))
	}
	if err != nil {
		return err
	}
	return a.tellPlan(p, plan, f)
}

// checkPlanFlags refuses what can be refused before anything is read.
func (a *app) checkPlanFlags(f *planFlags) error {
	if err := f.locking.check(); err != nil {
		return err
	}
	if err := f.telling.check(); err != nil {
		return err
	}
	if f.out != "" {
		if err := checkOut("out", f.out, planner.LooksLikePlan); err != nil {
			return err
		}
		if err := a.ownFile(f.out); err != nil {
			return err
		}
	}
	if f.html == "" {
		return nil
	}
	if err := checkOut("html", f.html, report.LooksLikePage); err != nil {
		return err
	}
	if err := a.ownFile(f.html); err != nil {
		return err
	}
	if f.out != "" && sameTarget(a.own[len(a.own)-2], a.own[len(a.own)-1]) {
		return &hintError{
			fmt.Errorf("cannot write the plan and its page to one file: -out names %q, and -html %q", f.out, f.html),
			"name another file with -html, such as " + strings.TrimSuffix(f.out, planner.PlanExtension) + planner.PageExtension,
		}
	}
	return nil
}

// tellPlan saves and prints a plan.
func (a *app) tellPlan(p *project, plan *planner.Plan, f *planFlags) error {
	if f.out != "" {
		if err := savePlan(f.out, plan, p.config.Variables); err != nil {
			return err
		}
	}
	if !f.asJSON {
		a.showPlan(plan, planVariables(p.config.Variables), f.telling.level())
	} else if err := a.showPlanJSON(plan); err != nil {
		return err
	}
	if f.out != "" {
		a.savedNote(f.out)
	}
	if f.detailedExitCode && report.Changes(plan) {
		return exitError(exitChanges)
	}
	return nil
}

// savedNote says what to do with a saved plan.
func (a *app) savedNote(name string) {
	if os.Getenv("FLOTOBUILD_IN_AUTOMATION") != "" {
		return
	}
	a.ui.notef("\nThe plan is saved. To make exactly these patches, run:\n  flotobuild apply %s", safe(name))
}
