package main

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/planner"
)

// loadedValues loads a project whose variables are hard to write down, with a value
// for each from the command line.
func loadedValues(t *testing.T, given []lang.VarOption) []*lang.Variable {
	t.Helper()
	cfg, diags := lang.Load(fstest.MapFS{"main.floto.hcl": {Data: []byte(`
variable "any" {}
variable "flag" { type = bool }
variable "list" { type = set(string) }
variable "none" { default = null }
variable "number" { type = number }
variable "object" { type = map(object({ a = optional(string, "x"), b = list(number) })) }
variable "secret" { sensitive = true }
variable "text" { type = string }
`)}}, lang.Options{ToolVersion: "1.0.0", Vars: given})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return cfg.Variables
}

// A plan gives back the values of variables, whatever they are.
func TestPlanVariablesRoundTrip(t *testing.T) {
	secret := lang.VarOption{Assignment: "secret=s"}
	vars := loadedValues(t, []lang.VarOption{
		{Assignment: "any=1.0"},
		{Assignment: "flag=true"},
		{Assignment: `list=["b", "a", "b"]`},
		{Assignment: "none=null"},
		{Assignment: "number=3.14159265358979323846264338327950288"},
		{Assignment: "object={ \"k 1\" = { b = [1, 2] }, k2 = { a = null, b = [] } }"},
		{Assignment: "text=line\n\"quoted\" ${x} %{y} $${z} \\ ünï\u0001"},
		secret,
	})
	saved := &planner.PlanFile{Variables: planVariables(vars)}
	again, err := planInputs(saved, []lang.VarOption{secret})
	if err != nil {
		t.Fatal(err)
	}
	got := loadedValues(t, again)
	if stale := staleVariables(saved.Variables, got); stale != nil {
		t.Errorf("%q", stale)
	}
	for n, v := range got {
		if !v.Value.RawEquals(vars[n].Value) {
			t.Errorf("%s: %#v, was %#v", v.Name, v.Value, vars[n].Value)
		}
	}
	if err := checkValues(got); err != nil {
		t.Error(err)
	}
}

// The value of one variable must not set another one.
func TestPlanVariablesSetThemselves(t *testing.T) {
	vars := planVariables(loadedValues(t, []lang.VarOption{
		{Assignment: "any=1"},
		{Assignment: "flag=true"},
		{Assignment: "list=[]"},
		{Assignment: "number=1"},
		{Assignment: "object={}"},
		{Assignment: "text=t"},
		{Assignment: "secret=s"},
	}))
	vars[0].Value = "\"1\"\nsecret = \"other\""
	inputs, err := planInputs(&planner.PlanFile{Variables: vars}, []lang.VarOption{{Assignment: "secret=s"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := checkValues(loadedValues(t, inputs)); err == nil || !strings.Contains(err.Error(), `sets "secret"`) {
		t.Errorf("got %v", err)
	}
}
