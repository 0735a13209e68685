package lang

import (
	"strings"
	"testing"
)

func TestCommandParent(t *testing.T) {
	for text, want := range map[string]ParentKind{
		"latest": ParentLatest, "none": ParentNone,
		"2026-01-02T03-04-05.000Z-plant-v1.hamburg": ParentID, "dist": ParentID,
		"./dist": ParentPath, "dist/": ParentPath, ".": ParentPath, "..": ParentPath, "../x": ParentPath, "/a": ParentPath,
		"a.floto-patch.zip": ParentPath, "receipt.json": ParentPath,
		"~> 2.1": ParentConstraint, ">= 2.1, < 3": ParentConstraint, "=2.1.0": ParentConstraint, "2.1.0": ParentConstraint, "*": ParentConstraint,
		"oci://registry.example/p:1": ParentArtifact,
	} {
		if got, d := CommandParent(text); d != nil || got.Kind != want {
			t.Errorf("%s: %s, %v", text, got.Kind, d)
		}
	}
	for text, want := range map[string]string{
		"": "is empty", "lates": "Did you mean", "non": "Did you mean", "oci://": "no artifact", "~> 2": "ambiguous", ">= foo": "no version constraint",
		`a\b/c`: "backslash",
	} {
		if _, d := CommandParent(text); d == nil || !strings.Contains(d.Detail, want) {
			t.Errorf("%q: %v", text, d)
		}
	}
}

func TestSatisfied(t *testing.T) {
	for _, c := range []struct {
		constraint, version string
		want                bool
	}{
		{"~> 2.1", "2.1.0", true},
		{"~> 2.1", "2.9.3", true},
		{"~> 2.1", "3.0.0", false},
		{"~> 2.1", "2.0.9", false},
		{"~> 2.1.4", "2.1.9", true},
		{"~> 2.1.4", "2.2.0", false},
		{"2.1.0", "2.1.0", true},
		{"2.1.0", "2.1.1", false},
		{"~> 2.1", "2.2.0-rc.1", false},
		{"~> 2.1", "no version", false},
		{"latest", "2.1.0", false},
	} {
		p, d := CommandParent(c.constraint)
		if d != nil || p.Satisfied(c.version) != c.want {
			t.Errorf("%s of %s: %v", c.version, c.constraint, d)
		}
	}
}

func TestRegistryAllowed(t *testing.T) {
	p := Policy{AllowedRegistries: []string{"registry.plant.example:5000", "*.example.org/team", "docker.io/library"}}
	for repository, want := range map[string]bool{
		"registry.plant.example:5000/a": true, "registry.plant.example:5000/a/b": true,
		"registry.plant.example/a": false, "registry.plant.example:5001/a": false, "evil.registry.plant.example:5000/a": false,
		"a.example.org/team/x": true, "a.b.example.org/team/x": true, "example.org/team/x": false, "a.example.org/teams/x": false,
		"a.example.org/team": true, "a.example.org": false, "evil.net/a.example.org/team": false, "evilexample.org/team/x": false,
		"docker.io/library/alpine": true, "docker.io/alpine": false,
	} {
		if got := p.RegistryAllowed(repository); got != want {
			t.Errorf("%s: %v", repository, got)
		}
	}
	if !(Policy{}).RegistryAllowed("any") || (Policy{AllowedRegistries: []string{}}).RegistryAllowed("any") {
		t.Error("no list allows everything, and an empty one nothing")
	}
}
