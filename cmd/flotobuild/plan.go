package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/planner"
)

// planFlags are the flags of plan.
type planFlags struct {
	vars             variableFlags
	locking          lockFlags
	build            planBuild
	selection        selectionFlags
	parents          []string
	out              string
	asJSON           bool
	detail           bool
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
	f.build.define(cmd)
	cmd.Flags().StringVar(&f.out, "out", "", "save the plan to `FILE`, for apply; a name that ends in "+planner.PlanExtension+" never travels in a patch")
	cmd.Flags().BoolVar(&f.detailedExitCode, "detailed-exitcode", false, "exit with 2 when there are changes")
	cmd.Flags().BoolVar(&f.detail, "detail", false, "list every changed file and every layer")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print the plan as JSON")
	return cmd
}

func (a *app) plan(cmd *cobra.Command, f *planFlags) error {
	ctx := cmd.Context()
	if err := f.locking.check(); err != nil {
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
	options, err := f.vars.read()
	if err != nil {
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
	if err != nil {
		return err
	}
	if f.out != "" {
		if err := savePlan(f.out, plan, p.config.Variables); err != nil {
			return err
		}
	}
	if err := a.showPlan(plan, f.asJSON, f.detail); err != nil {
		return err
	}
	if f.out != "" {
		a.savedNote(f.out)
	}
	if f.detailedExitCode && hasChanges(plan) {
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

// hasChanges tells whether some site needs a patch, or some device an envelope.
func hasChanges(plan *planner.Plan) bool {
	if sealings(plan) > 0 {
		return true
	}
	for _, s := range plan.Sites {
		if s.Change != planner.ChangeNone {
			return true
		}
	}
	return false
}
