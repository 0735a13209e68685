package lang

import (
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// TestLoadHuge loads sources of nearly the greatest size that would exhaust the
// stack or the memory if they were followed without limits.
func TestLoadHuge(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const size = MaxSourceSize - 100
	fill := func(unit string) string { return strings.Repeat(unit, size/len(unit)) }
	var chain strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&chain, "a%d = local.a%d\n", i, i+1)
	}
	for name, body := range map[string]string{
		"brackets":    "a = " + fill("["),
		"parens":      "a = " + fill("("),
		"not":         "a = " + fill("!") + "true",
		"minus":       "a = " + fill("-") + "1",
		"plus":        "a = 1" + fill("+1"),
		"conditional": "a = " + fill("1?1:") + "1",
		"index":       "a = b" + fill("[0]"),
		"attributes":  "a = b" + fill(".c"),
		"calls":       "a = " + fill("f("),
		"templates":   "a = " + fill(`"${`),
		"for":         "a = " + fill("[for x in "),
		"ifs":         "a = \"" + fill("%{if true}") + "\"",
		"list":        "a = [" + fill("1,") + "]",
		"chain":       chain.String() + "a20000 = 1",
		"splat":       "a = b" + fill("[*]"),
		"attr splat":  "a = b" + fill(".*"),
	} {
		t.Run(name, func(t *testing.T) {
			fsys := fstest.MapFS{"x.floto.hcl": {Data: []byte("locals {\n" + body + "\n}\n")}}
			cfg, diags := Load(fsys, Options{})
			if err := WriteDiagnostics(io.Discard, diags, cfg.Files, DiagnosticsOptions{}); err != nil {
				t.Fatal(err)
			}
		})
	}
	t.Run("blocks", func(t *testing.T) {
		refuse(t, fstest.MapFS{"x.floto.hcl": {Data: []byte(fill("a {\n"))}}, Options{})
	})
	t.Run("json template", func(t *testing.T) {
		src := `{"locals": {"a": "${` + fill("(") + `"}}`
		refuse(t, fstest.MapFS{"x.floto.hcl.json": {Data: []byte(src)}}, Options{})
	})
	t.Run("json not", func(t *testing.T) {
		src := `{"locals": {"a": "${` + fill("!") + `true}"}}`
		refuse(t, fstest.MapFS{"x.floto.hcl.json": {Data: []byte(src)}}, Options{})
	})
	t.Run("option", func(t *testing.T) {
		fsys := fstest.MapFS{"x.floto.hcl": {Data: []byte("variable \"a\" {\n  type = list(string)\n}\n")}}
		refuse(t, fsys, Options{Vars: []VarOption{{Assignment: "a=" + fill("[")}}})
	})
}

func refuse(t *testing.T, fsys fs.FS, opts Options) {
	t.Helper()
	if _, diags := Load(fsys, opts); !diags.HasErrors() {
		t.Error("the source is accepted")
	}
}

func TestLoadUnreadable(t *testing.T) {
	for name, c := range map[string]struct {
		file *fstest.MapFile
		want string
	}{
		"too large": {&fstest.MapFile{Data: make([]byte, MaxSourceSize+1)}, "larger than"},
		"a pipe":    {&fstest.MapFile{Mode: fs.ModeNamedPipe}, "not a regular file"},
		"not UTF-8": {&fstest.MapFile{Data: []byte("locals {\n  a = \"\xff\"\n}\n")}, "UTF-8"},
		"NULs":      {&fstest.MapFile{Data: make([]byte, 100)}, "Invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			_, diags := Load(fstest.MapFS{"x.floto.hcl": c.file}, Options{})
			if !diags.HasErrors() || !strings.Contains(diags[0].Summary+" "+diags[0].Detail, c.want) {
				t.Errorf("want %q, got %v", c.want, diags)
			}
		})
	}
}

func TestLoadMissingFolder(t *testing.T) {
	_, diags := Load(brokenFS{}, Options{})
	if !diags.HasErrors() || diags[0].Summary != "Cannot read the project folder" {
		t.Errorf("got %v", diags)
	}
}

type brokenFS struct{}

func (brokenFS) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
}
