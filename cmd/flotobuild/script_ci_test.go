package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"gopkg.in/yaml.v3"
)

// A recipe is a block of code of docs/ci.md, with the text in front of it.
type recipe struct{ before, kind, code string }

var fenced = regexp.MustCompile("(?s)(.*?)\n```([a-z]+)\n(.*?)```\n")

func recipes() ([]recipe, error) {
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "ci.md"))
	var out []recipe
	for _, m := range fenced.FindAllStringSubmatch(string(b), -1) {
		out = append(out, recipe{m[1], m[2], m[3]})
	}
	return out, err
}

// cmdRecipe writes the script of docs/ci.md that is named in the text before it.
func cmdRecipe(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, "recipe FILE")
	all, err := recipes()
	ts.Check(err)
	for _, r := range all {
		if r.kind == "sh" && strings.Contains(r.before[max(0, len(r.before)-120):], "`"+args[0]+"`") {
			name := ts.MkAbs(args[0])
			ts.Check(os.MkdirAll(filepath.Dir(name), 0o755))
			ts.Check(os.WriteFile(name, []byte(r.code), 0o755))
			return
		}
	}
	ts.Fatalf("docs/ci.md has no script %s", args[0])
}

// TestRecipes reads the pipelines of docs/ci.md: their syntax, and that they run
// the scripts, which a script of testdata/scripts runs in turn.
func TestRecipes(t *testing.T) {
	all, err := recipes()
	if err != nil {
		t.Fatal(err)
	}
	kinds := make(map[string]int)
	for _, r := range all {
		kinds[r.kind]++
		switch r.kind {
		case "yaml":
			var v map[string]any
			if err := yaml.Unmarshal([]byte(r.code), &v); err != nil {
				t.Errorf("%v in\n%s", err, r.code)
			}
			if len(v) < 3 {
				t.Errorf("a pipeline has only %d parts:\n%s", len(v), r.code)
			}
		case "groovy":
			if open, closed := strings.Count(r.code, "{"), strings.Count(r.code, "}"); open != closed {
				t.Errorf("%d braces are opened and %d closed:\n%s", open, closed, r.code)
			}
		case "sh":
			continue
		}
		for _, want := range []string{"sh ci/plan.sh", "sh ci/release.sh", "release.floto-plan.html", "XDG_STATE_HOME"} {
			if !strings.Contains(r.code, want) {
				t.Errorf("a pipeline has no %q:\n%s", want, r.code)
			}
		}
	}
	if kinds["yaml"] != 2 || kinds["groovy"] != 1 || kinds["sh"] != 2 {
		t.Errorf("docs/ci.md has other recipes: %v", kinds)
	}
}
