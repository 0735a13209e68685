package lang

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// unshown are summaries that no case of the tables can show, and why.
var unshown = map[string]string{
	"Cannot read the project folder": "the folder of a case can be read; see TestLoadMissingFolder",
	"Cannot write the manifest":      "what was decoded or made by the package can be encoded",
}

// TestSummaries holds that every kind of error that the package reports stands
// in a golden case.
func TestSummaries(t *testing.T) {
	shown := goldenText(t)
	for _, summary := range summaries(t) {
		reason, listed := unshown[summary]
		inCase := strings.Contains(shown, ": "+summary+"\n")
		switch {
		case !inCase && !listed:
			t.Errorf("no case in testdata shows %q", summary)
		case inCase && listed:
			t.Errorf("%q is shown by a case: take it off the list (%s)", summary, reason)
		}
	}
}

func goldenText(t *testing.T) string {
	t.Helper()
	names, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	var out strings.Builder
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
	}
	return out.String()
}

// summaries lists the literals that become a diagnostic's summary: the arguments
// of the functions that make diagnostics, and the fields of composite literals.
func summaries(t *testing.T) []string {
	t.Helper()
	position := map[string]int{"failure": 1, "folderError": 0, "tooDeep": 0}
	var out []string
	add := func(e ast.Expr) {
		if text, ok := literal(e); ok {
			out = append(out, text)
		}
	}
	for _, f := range parsePackage(t) {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				name, _ := n.Fun.(*ast.Ident)
				if name == nil {
					break
				}
				if i, ok := position[name.Name]; ok && i < len(n.Args) {
					add(n.Args[i])
				}
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Summary" {
					add(n.Value)
				}
			}
			return true
		})
	}
	slices.Sort(out)
	out = slices.Compact(out)
	if len(out) < 60 {
		t.Fatalf("only %d summaries found", len(out))
	}
	return out
}

func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}

func parsePackage(t *testing.T) []*ast.File {
	t.Helper()
	names, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	var out []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}
