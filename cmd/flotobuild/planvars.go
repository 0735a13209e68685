package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/planner"
)

// planInputs gives the values of variables for applying a saved plan: those
// that the plan got from the command line or the environment, and what is given
// now for sensitive ones, which a plan does not record. The others come from
// the project, and are compared by staleVariables.
func planInputs(saved *planner.PlanFile, given []lang.VarOption) ([]lang.VarOption, error) {
	sensitive := make(map[string]bool)
	for _, v := range saved.Variables {
		if v.Sensitive {
			sensitive[v.Name] = true
		}
	}
	const hint = "leave out -var and -var-file, or plan again with them; in FLOTOBUILD_CLI_ARGS they are for every command, in FLOTOBUILD_CLI_ARGS_plan for plan"
	for _, g := range given {
		name, _, _ := strings.Cut(g.Assignment, "=")
		switch {
		case g.Assignment == "" && len(sensitive) == 0:
			return nil, &hintError{fmt.Errorf("cannot apply a saved plan with -var-file %s: the plan has the values of all variables", g.File), hint}
		case g.Assignment != "" && !sensitive[strings.TrimSpace(name)]:
			return nil, &hintError{fmt.Errorf("cannot apply a saved plan with -var %s=…: the plan has the values of variables that are not sensitive", name), hint}
		}
	}
	out := slices.Clone(given)
	for _, v := range saved.Variables {
		if !v.Sensitive && !ofProject(v.Origin) {
			out = append(out, lang.VarOption{File: valueOf(v.Name), Bytes: []byte(v.Name + " = " + v.Value + "\n")})
		}
	}
	return out, nil
}

// ofPlan ends the names of values that a plan has.
const ofPlan = " of the saved plan"

// valueOf names the value that a plan has for a variable, in messages.
func valueOf(name string) string { return "variable " + name + ofPlan }

// checkValues refuses plans in which the value of a variable sets others.
func checkValues(vars []*lang.Variable) error {
	for _, v := range vars {
		for _, f := range v.Files {
			if strings.HasSuffix(f, ofPlan) && f != valueOf(v.Name) {
				return fmt.Errorf("cannot apply the saved plan: %s sets %q: it was edited; make the plan again", f, v.Name)
			}
		}
	}
	return nil
}

// ofProject says that a value comes from the project's files.
func ofProject(origin string) bool {
	name := strings.TrimSuffix(origin, ".json")
	return origin == "default" || name == "flotobuild.hclvars" || strings.HasSuffix(name, ".auto.hclvars")
}

// staleVariables lists the variables that are no longer what the plan was made
// with.
func staleVariables(saved []planner.PlanVariable, now []*lang.Variable) []string {
	old := make(map[string]planner.PlanVariable)
	for _, v := range saved {
		old[v.Name] = v
	}
	var out []string
	for _, v := range now {
		o, known := old[v.Name]
		delete(old, v.Name)
		switch {
		case !known:
			out = append(out, fmt.Sprintf("variable %q, which is new", v.Name))
		case o.Sensitive != v.Sensitive:
			out = append(out, fmt.Sprintf("variable %q, which is sensitive in one of the two only", v.Name))
		case !v.Sensitive && o.Value != v.Text():
			out = append(out, fmt.Sprintf("variable %q: %s (%s), where the plan has %s (%s)",
				v.Name, clipped(v.Text()), v.Origin, clipped(o.Value), o.Origin))
		}
	}
	for _, v := range saved {
		if _, gone := old[v.Name]; gone {
			out = append(out, fmt.Sprintf("variable %q, which is gone", v.Name))
		}
	}
	return out
}

// clipped shortens a value for a message.
func clipped(text string) string {
	const most = 60
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}
