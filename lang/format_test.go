package lang

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestFormatCorpus formats every source of the examples and of the test cases:
// formatting twice changes nothing, and the tokens, comments included, stay.
func TestFormatCorpus(t *testing.T) {
	for name, src := range corpus(t) {
		checkFormat(t, name, src)
	}
}

// checkFormat reports whether the source could be formatted.
func checkFormat(t *testing.T, name string, src []byte) {
	t.Helper()
	once, diags := Format(src, name)
	if diags.HasErrors() {
		return
	}
	twice, diags := Format(once, name)
	if diags.HasErrors() || !bytes.Equal(once, twice) {
		t.Errorf("%s: formatting twice differs: %v\n%s\n---\n%s", name, diags, once, twice)
	}
	if before, after := words(src), words(once); !slices.Equal(before, after) {
		t.Errorf("%s: tokens have changed:\n%q\n%q", name, before, after)
	}
}

// words are the tokens of a source without its layout.
func words(src []byte) []string {
	src = bytes.ReplaceAll(bytes.TrimPrefix(src, []byte("\xef\xbb\xbf")), []byte("\r\n"), []byte("\n"))
	tokens, _ := hclsyntax.LexConfig(src, "", hcl.InitialPos)
	var out []string
	for _, tok := range tokens {
		if text := strings.TrimSpace(string(tok.Bytes)); text != "" {
			out = append(out, text)
		}
	}
	return out
}

// corpus collects the native sources of the examples and of the load table.
func corpus(t testing.TB) map[string][]byte {
	t.Helper()
	out := make(map[string][]byte)
	err := filepath.WalkDir("../examples", func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.HasSuffix(name, ".hcl") {
			out[name], err = os.ReadFile(name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob("testdata/load/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		a, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if strings.HasSuffix(f.Name, ".hcl") {
				out[name+"/"+f.Name] = f.Data
			}
		}
	}
	return out
}

func TestFormat(t *testing.T) {
	for name, c := range map[string]struct{ src, want string }{
		"indentation": {"locals{\na=1 # one\n// two\nlonger = [\n1,\n]\n}\n", "locals {\n  a = 1 # one\n  // two\n  longer = [\n    1,\n  ]\n}\n"},
		"mark and CR": {"\xef\xbb\xbflocals {\r\na=1\r\n}\r\n", "locals {\n  a = 1\n}\n"},
		"heredoc":     {"locals {\na = <<EOT\n  kept\n   as it is\nEOT\n}\n", "locals {\n  a = <<EOT\n  kept\n   as it is\nEOT\n}\n"},
		"empty":       {"", ""},
	} {
		got, diags := Format([]byte(c.src), "x.floto.hcl")
		if string(got) != c.want || diags.HasErrors() {
			t.Errorf("%s: got %q, %v", name, got, diags)
		}
	}
	for name, src := range map[string]string{
		"syntax": "locals {", "depth": "a = " + strings.Repeat("[", 1000), "size": strings.Repeat("#", MaxSourceSize+1),
	} {
		if got, diags := Format([]byte(src), "x.floto.hcl"); got != nil || !diags.HasErrors() || diags[0].Subject == nil {
			t.Errorf("%s: got %q, %v", name, got, diags)
		}
	}
}

// FuzzFormat formats arbitrary sources.
func FuzzFormat(f *testing.F) {
	for _, src := range corpus(f) {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) { checkFormat(t, "x.floto.hcl", src) })
}
