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
	for name, src := range odd {
		if _, diags := Format([]byte(src), name); diags.HasErrors() {
			t.Errorf("%s: %v", name, diags)
		}
	}
}

// checkFormat holds a source that has no syntax errors against what Format
// promises.
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
	if before, after := comments(src), comments(once); !slices.Equal(before, after) {
		t.Errorf("%s: comments have changed:\n%q\n%q", name, before, after)
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

// comments are the comments of a source in their order, without the space at
// their ends.
func comments(src []byte) []string {
	src = bytes.ReplaceAll(bytes.TrimPrefix(src, []byte("\xef\xbb\xbf")), []byte("\r\n"), []byte("\n"))
	tokens, _ := hclsyntax.LexConfig(src, "", hcl.InitialPos)
	var out []string
	for _, tok := range tokens {
		if tok.Type == hclsyntax.TokenComment {
			out = append(out, strings.TrimSpace(string(tok.Bytes)))
		}
	}
	return out
}

// odd are sources with what the corpus does not have: comments at every place,
// heredocs in every form, and other line ends.
var odd = map[string]string{
	"comments": "# a\n/* b */ locals /* c */ { # d\n  // e\n  x /* f */ = /* g */ [ # h\n    1, # i\n    /* j */ 2 /* k */, // l\n    # m\n  ] # n\n  y = { # o\n    a = 1 # p\n    # q\n    b = (1 + # r\n    2) # s\n  }\n  z = f(1, # t\n    2 /* u */)\n  # v\n} # w\n# x",
	"heredocs": "locals {\na = <<EOT\n  ${x} # none\n\tkept\nEOT\n  b = <<-EOT\n      one\n        two\n    EOT\nc = [<<A\n x\nA\n, <<-B\n  y\n  B\n] # c\nlonger = 1\n}\n",
	"tabs":     "locals\t{\n\ta\t=\t1\t# tab\n\t\tbc = \"\tx\"\n}\n",
	"CRLF":     "locals {\r\n  a=1 # one\r\n  /* two\r\n  three */\r\n  b = <<X\r\n  y\r\nX\r\n}\r\n",
	"mark":     "\xef\xbb\xbf# größe\nlocals {\n größe = \"日本\" # 語\n x=1 # é\n}\n",
	"template": "locals {\n a = \"%{ for x in y ~}${ x }%{ endfor ~}\"\n b = \"${ {a=1}[\"a\"] }\"\n c=a?b:c\n d=[for x in y:x if x!=1]\n e={for k,v in y:k=>v...}\n f=y[*].z\n g=-1+!true\n}\n",
	"values":   "a=\"x\"\nlonger=[1,2,\n3]\nobject={a:1,\"b\":2}\n",
	"one line": "variable \"a\" {}\nlocals { a = 1 }\nsite \"x\" { vars = {} }\n",
	"spaces":   "\n\n\nlocals {\n\n\n a = 1   \n\n}   \n\n\n",
	"no end":   "locals {\n a = 1\n} # end",
}

// corpus collects the native sources of the examples and of the tables.
func corpus(t testing.TB) map[string][]byte {
	t.Helper()
	out := make(map[string][]byte)
	err := filepath.WalkDir("../examples", func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && isNative(name) {
			out[name], err = os.ReadFile(name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"testdata/*/*.txtar", "../testdata/scripts/*.txtar"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("no cases in %s: %v", pattern, err)
		}
		for _, name := range names {
			addArchive(t, out, name)
		}
	}
	for name, src := range odd {
		out[name] = []byte(src)
	}
	return out
}

func addArchive(t testing.TB, out map[string][]byte, name string) {
	t.Helper()
	a, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range a.Files {
		if isNative(f.Name) {
			out[name+"/"+f.Name] = f.Data
		}
	}
}

func isNative(name string) bool {
	return strings.HasSuffix(name, ".hcl") || strings.HasSuffix(name, ".hclvars")
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
	f.Fuzz(func(t *testing.T, src []byte) {
		defer limited()()
		checkFormat(t, "x.floto.hcl", src)
	})
}
