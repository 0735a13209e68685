package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/planner"
)

// savedPlan reads the plan file that args name, where they do, and gives it with
// the values of variables for it.
func (a *app) savedPlan(args []string, given []lang.VarOption) (*planner.PlanFile, []lang.VarOption, error) {
	if len(args) == 0 {
		return nil, given, nil
	}
	saved, err := openPlan(args[0])
	if err != nil {
		return nil, nil, err
	}
	if err := a.ownFile(args[0]); err != nil {
		return nil, nil, err
	}
	vars, err := planInputs(saved, given)
	return saved, vars, err
}

// savedHint tells, where the configuration is in error, that the plan has no
// values of sensitive variables.
func savedHint(saved *planner.PlanFile, err error) error {
	if code := exitError(0); saved == nil || !errors.As(err, &code) {
		return err
	}
	for _, v := range saved.Variables {
		if v.Sensitive {
			return &hintError{
				errors.New("cannot apply the saved plan: the configuration is not valid now"),
				fmt.Sprintf("a plan does not hold the values of sensitive variables: give %q as for plan (%s)", v.Name, v.Origin),
			}
		}
	}
	return err
}

// bindSaved gives the saved plan where it still holds, with the places of the
// parents as they are here. Otherwise it lists what has changed.
func (a *app) bindSaved(ctx context.Context, p *project, saved *planner.PlanFile) (*planner.Plan, error) {
	if err := checkValues(p.config.Variables); err != nil {
		return nil, err
	}
	stale := staleVariables(saved.Variables, p.config.Variables)
	if err := a.overrideParents(p, saved.Plan.ParentArguments, false); err != nil {
		return nil, err
	}
	err := p.choose(planner.Selection{Targets: saved.Plan.Targets, Excludes: saved.Plan.Excludes})
	if err != nil {
		return nil, staleError(append(stale, "the sites: "+err.Error()))
	}
	now, err := a.makePlan(ctx, p, &lockFlags{mode: readonly, held: true}, false)
	if err != nil {
		if code := exitError(0); len(stale) > 0 && errors.As(err, &code) { // what is wrong has been printed
			err = staleError(stale)
		}
		return nil, err
	}
	changed, err := planner.Stale(saved.Plan, now)
	if err != nil {
		return nil, err
	}
	if stale = append(stale, changed...); len(stale) > 0 {
		return nil, staleError(stale)
	}
	return bound(saved.Plan, now), nil
}

// bound is the saved plan with the files of parents as the other one names them.
func bound(saved, now *planner.Plan) *planner.Plan {
	files := make(map[string][]string)
	for _, s := range now.Sites {
		files[s.Name] = s.ParentFiles
	}
	out := *saved
	out.Sites = nil
	for _, s := range saved.Sites {
		c := *s
		c.ParentFiles = files[s.Name]
		out.Sites = append(out.Sites, &c)
	}
	return &out
}

func staleError(what []string) error {
	return &hintError{
		fmt.Errorf("Saved plan is stale: since it was made, this has changed:\n  %s", strings.Join(what, "\n  ")), //nolint:staticcheck // the wording is fixed
		"nothing was built; plan again, look at the plan, and apply that",
	}
}
