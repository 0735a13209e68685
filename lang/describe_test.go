package lang

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"
)

// TestDescribeIsComplete checks that nothing of the language goes without a
// word about it.
func TestDescribeIsComplete(t *testing.T) {
	l := Describe()
	check := func(path string, b *BlockType) {
		if b.Doc == "" {
			t.Errorf("the block %q has no description", path)
		}
		for _, a := range b.Attributes {
			if a.Type == "" || a.Doc == "" {
				t.Errorf("the attribute %q of block %q has no type or no description", a.Name, path)
			}
			if a.Required && a.Default != "" {
				t.Errorf("the attribute %q of block %q is required and has a default", a.Name, path)
			}
		}
	}
	walkBlocks(l.Project, "", check)
	walkBlocks(l.Root, "", check)
	walkBlocks(l.Variables, "", check)
	walkBlocks(DynamicBlock(), "dynamic", check)
	for _, f := range l.Functions {
		if f.Doc == "" || f.Group == "" || f.Result == "" {
			t.Errorf("the function %s is not in functionDocs", f.Name)
		}
	}
	if len(l.Functions) != len(functionDocs) {
		t.Errorf("functionDocs has %d entries for %d functions", len(functionDocs), len(l.Functions))
	}
}

func walkBlocks(b *BlockType, path string, visit func(string, *BlockType)) {
	visit(path, b)
	for _, c := range b.Blocks {
		walkBlocks(c, strings.TrimPrefix(path+"."+c.Name, "."), visit)
	}
}

// TestFunctionResults compares the results in the table with what the functions
// say of themselves, where that does not depend on the arguments.
func TestFunctionResults(t *testing.T) {
	for name, f := range newProject(nil, Options{}).builtins(&folder{dir: "."}, ".") {
		var args []cty.Type
		for _, p := range f.Params() {
			args = append(args, p.Type)
		}
		result, err := f.ReturnType(args)
		if err != nil || strings.Contains(typeText(result), "any") || strings.HasPrefix(typeText(result), "object") {
			continue
		}
		if want := functionDocs[name].result; typeText(result) != want {
			t.Errorf("%s gives %s, and the table says %s", name, typeText(result), want)
		}
	}
}

func TestSignature(t *testing.T) {
	for _, f := range Describe().Functions {
		want := map[string]string{
			"join":   "join(separator: string, lists...: list(string)) string",
			"max":    "max(numbers...: number) number",
			"can":    "can(expression: expression) bool",
			"length": "length(value: any) number",
		}[f.Name]
		if got := f.Signature(); want != "" && got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestReferencesAreComplete compares the table with what the resolver knows.
func TestReferencesAreComplete(t *testing.T) {
	members := map[bool]map[string][]string{false: {}, true: {}}
	for _, r := range Describe().References {
		root, rest, _ := strings.Cut(r.Name, ".")
		name, _, _ := strings.Cut(rest, ".")
		members[r.Root][root] = append(members[r.Root][root], name)
	}
	for root, want := range map[string][]string{"git": gitNames, "path": pathNames, "each": eachNames, "site": siteNames} {
		if got := members[false][root]; !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
			t.Errorf("the table has %q for %s, and the resolver %q", got, root, want)
		}
	}
	if got := members[true]["patch"]; !slices.Equal(got, patchNames) {
		t.Errorf("the table has %q for patch, and the resolver %q", got, patchNames)
	}
	for _, roots := range []struct {
		root bool
		want []string
	}{{false, rootReferences}, {true, rootNames}} {
		got := slices.Sorted(maps.Keys(members[roots.root]))
		if want := slices.Sorted(slices.Values(roots.want)); !slices.Equal(got, want) {
			t.Errorf("references of the table begin with %q, and those of the resolver with %q", got, want)
		}
	}
}
