package planner

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/flotobuild/flotobuild/lang"
)

func TestRootDefinitionFileTravels(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*lang.Config)
		want string
	}{
		{"git", func(*lang.Config) {}, "git ignores it"},
		{"exclude", func(c *lang.Config) { c.RootDefinitions[0].Conf.Exclude = []string{"x", "**/*.hcl"} }, `"**/*.hcl" in exclude`},
		{"include", func(c *lang.Config) { c.RootDefinitions[0].Conf.Include = []string{"images/**"} }, "Add it to include"},
		{"output", func(c *lang.Config) { c.Sites[1].Patch.Output.Name = "roots" }, `"roots", the output of site "aachen"`},
		{"secret", func(c *lang.Config) {
			c.ImageSets[0].Images[0].Build.Secrets["r"] = lang.Secret{File: &lang.Path{Name: "roots/plant.root.hcl"}}
		}, "never travels. Move it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, facts := plant()
			cfg.RootDefinitions[0].File.Range = at(15)
			facts.conf = facts.conf[:1]
			c.edit(cfg)
			_, err := Resolve(context.Background(), cfg, facts, Options{})
			var diags hcl.Diagnostics
			if !errors.As(err, &diags) || len(diags) != 1 {
				t.Fatalf("got %v", err)
			}
			d := diags[0]
			if d.Summary != "Root definition file does not travel" || d.Subject.Start.Line != 15 || !strings.Contains(d.Detail, c.want) {
				t.Errorf("got %v: %s", d.Subject, d.Detail)
			}
		})
	}
}
