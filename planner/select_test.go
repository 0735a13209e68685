package planner

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/flotobuild/flotobuild/lang"
)

func TestSelect(t *testing.T) {
	// berlin carries opc and ui, aachen ui and app; ui is built on app, app on base.
	for name, c := range map[string]struct {
		s    Selection
		want string // sites, or the error
	}{
		"all":              {Selection{}, "berlin aachen line"},
		"site":             {Selection{Targets: []string{"site.berlin"}}, "berlin"},
		"two":              {Selection{Targets: []string{"site.berlin", "site.aachen"}}, "berlin aachen"},
		"image":            {Selection{Targets: []string{"image_set.s.image.opc"}}, "berlin"},
		"base":             {Selection{Targets: []string{"image_set.s.image.base"}}, "berlin aachen"},
		"set":              {Selection{Targets: []string{"image_set.s"}}, "berlin aachen"},
		"instance":         {Selection{Targets: []string{`module.m.site.fleet["a"]`}}, "line"},
		"instance by name": {Selection{Targets: []string{"module.m.site.fleet.a"}}, "line"},
		"all instances":    {Selection{Targets: []string{"module.m.site.fleet"}}, "line"},
		"module":           {Selection{Targets: []string{"module.m"}}, "line"},
		"exclude":          {Selection{Excludes: []string{"site.berlin"}}, "aachen line"},
		"exclude image":    {Selection{Excludes: []string{"image_set.s.image.app"}}, "line"},
		"both":             {Selection{Targets: []string{"image_set.s"}, Excludes: []string{"site.aachen"}}, "berlin"},
		"nothing":          {Selection{Targets: []string{"site.berlin"}, Excludes: []string{"site.berlin"}}, "leave no site"},
		"misspelt":         {Selection{Targets: []string{"site.berln"}}, `no "site.berln" in the configuration | Did you mean "site.berlin"?`},
		"part of a name":   {Selection{Targets: []string{"site.ber"}}, "no \"site.ber\""},
		"empty":            {Selection{Excludes: []string{""}}, `no "" in the configuration`},
		"unused image":     {Selection{Targets: []string{"image_set.s.image.unused"}}, "no site carries it"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, _ := plant()
			cfg.Sites = append(cfg.Sites, &lang.Site{Name: "line", Module: "module.m", Label: "fleet", Index: `["a"]`, RootDefinition: &lang.RootDefinition{}})
			got, err := Select(cfg, c.s)
			if err != nil {
				var wrong *SelectionError
				if !errors.As(err, &wrong) {
					t.Fatalf("got %v", err)
				}
				text := err.Error() + " | " + wrong.Hint
				if !strings.Contains(text, c.want) {
					t.Errorf("got %s", text)
				}
				return
			}
			var names []string
			for _, s := range got.Sites {
				names = append(names, s.Name)
			}
			if strings.Join(names, " ") != c.want || len(got.Sites)+len(got.Unselected) != len(cfg.Sites) {
				t.Errorf("got %q, and %d left out", names, len(got.Unselected))
			}
		})
	}
}

// Outputs of sites that are left out do not travel.
func TestSelectKeepsOutputs(t *testing.T) {
	cfg, facts := plant()
	some, err := Select(cfg, Selection{Targets: []string{"site.berlin"}})
	if err != nil {
		t.Fatal(err)
	}
	d, err := Resolve(t.Context(), some, facts, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Sites) != 1 || !slices.Contains(facts.omit, "dist/aachen") {
		t.Errorf("%d sites; omitted: %q", len(d.Sites), facts.omit)
	}
}
