package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const (
	module    = "github.com/flotobuild/flotobuild"
	buildkit  = "github.com/moby/buildkit"
	hclModule = "github.com/hashicorp/hcl"
)

// An importRule is a row of the table in docs/architecture.md. Paths stand for
// everything below them.
type importRule struct {
	packages string
	may      []string // of the project
	mayNot   []string // directly
	reachNot []string // by any way
}

// importRules are in order: the first whose packages match holds.
var importRules = []importRule{
	{"internal", []string{"internal"}, []string{hclModule}, []string{buildkit}},
	{"store", []string{"internal"}, []string{hclModule}, []string{buildkit}},
	{"delta/image", []string{"delta", "store", "internal"}, []string{hclModule, "net", "net/http"}, []string{buildkit}},
	{"delta/registry", []string{"delta", "store", "internal"}, []string{hclModule}, []string{buildkit}},
	{"delta", []string{"internal"}, []string{hclModule}, []string{buildkit}},
	{"envelope", []string{"internal"}, []string{hclModule}, []string{buildkit}},
	{"patch/sign", []string{"internal"}, []string{hclModule, "os", "net", "net/http"}, []string{buildkit}},
	{"patch/attest", nil, []string{hclModule, "os", "net", "net/http"}, []string{buildkit}},
	{"patch/crypt", []string{"internal"}, []string{hclModule}, []string{buildkit}},
	{"patch/volume", []string{"internal"}, []string{hclModule}, []string{buildkit}},
	{"patch/media", []string{"patch/crypt", "patch/volume", "internal"}, []string{hclModule}, []string{buildkit}},
	{"patch/layers", []string{"patch", "delta", "store", "internal"}, []string{hclModule}, []string{buildkit}},
	{"patch", []string{"store", "delta", "internal"}, []string{hclModule}, []string{buildkit}},
	{"lang/lsp", []string{"lang"}, []string{"os", "os/exec", "net", "net/http"}, []string{buildkit}},
	{"lang", nil, []string{"os", "os/exec", "net", "net/http"}, []string{buildkit}},
	{"planner", []string{"lang", "patch", "envelope"}, []string{"os", "os/exec", "net", "net/http"}, []string{buildkit}},
	{"executor/parent", []string{"patch", "internal"}, []string{hclModule}, []string{buildkit}},
	{"executor/facts", []string{"executor/parent", "lang", "planner", "patch", "internal"}, []string{hclModule}, []string{module + "/executor/engine"}},
	{"executor/sbom", []string{"internal"}, []string{hclModule, "net", "net/http"}, []string{buildkit}},
	{"executor/engine", []string{"store", "internal"}, []string{hclModule}, nil},
	{"executor", []string{"executor", "planner", "patch", "store", "delta", "envelope", "internal"}, []string{hclModule}, nil},
	{"site/docker", []string{"patch", "store", "internal"}, []string{hclModule}, []string{buildkit}},
	{"site/deploy", []string{"site", "lang", "patch", "store", "internal"}, []string{hclModule}, []string{buildkit}},
	{"site/registry", []string{"patch", "store", "internal"}, []string{hclModule, "os"}, []string{buildkit}},
	{"site/access", []string{"internal"}, []string{hclModule, "net", "net/http"}, []string{buildkit}},
	{"site/incoming", []string{"patch", "internal"}, []string{hclModule, "net", "net/http"}, []string{buildkit}},
	{"site/web", []string{"site", "patch", "store", "internal"}, []string{hclModule}, []string{buildkit}},
	{"site", []string{"lang", "patch", "store", "delta", "envelope", "internal"}, nil, []string{buildkit}},
	{"cmd/flotobuild/report", []string{"lang", "planner", "patch"}, []string{"os", "os/exec", "net", "net/http", hclModule}, []string{buildkit}},
	{"cmd", []string{"lang", "planner", "executor", "patch", "store", "delta", "envelope", "site", "internal"}, []string{buildkit}, nil},
}

// A listedPackage is what go list tells of a package.
type listedPackage struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func TestImportRules(t *testing.T) {
	for _, p := range listPackages(t) {
		path := strings.TrimPrefix(p.ImportPath, module+"/")
		n := slices.IndexFunc(importRules, func(r importRule) bool { return within(path, r.packages) })
		if n < 0 {
			t.Errorf("no import rule says what %s may import: add it to the table, and to docs/architecture.md", path)
			continue
		}
		checkImports(t, path, p, importRules[n])
	}
}

func checkImports(t *testing.T, path string, p listedPackage, r importRule) {
	for _, i := range p.Imports {
		if of, ok := strings.CutPrefix(i, module+"/"); ok && !within(of, r.packages) && !withinAny(of, r.may) {
			t.Errorf("%s imports %s; of the project it may import %q", path, of, r.may)
		}
		if slices.Contains(r.mayNot, i) || strings.Contains(i, ".") && withinAny(i, r.mayNot) {
			t.Errorf("%s imports %s, which it must not", path, i)
		}
	}
	for _, d := range p.Deps {
		if withinAny(d, r.reachNot) {
			t.Errorf("%s reaches %s, which it must not", path, d)
			return
		}
	}
}

func within(path, tree string) bool { return path == tree || strings.HasPrefix(path, tree+"/") }

func withinAny(path string, trees []string) bool {
	return slices.ContainsFunc(trees, func(tree string) bool { return within(path, tree) })
}

func listPackages(t *testing.T) []listedPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-deps=false", "-json=ImportPath,Imports,Deps", module+"/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("cannot list the project's packages: %v", err)
	}
	var packages []listedPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listedPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("cannot read what go list says: %v", err)
		}
		packages = append(packages, p)
	}
	if len(packages) < 8 {
		t.Fatalf("go list names %d packages only", len(packages))
	}
	return packages
}
