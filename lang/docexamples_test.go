package lang

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/txtar"
)

// A docExample is a block of configuration in a document. A comment before it,
//
//	<!-- with: plant, file: roots/plant.root.hcl -->
//
// names the archive in testdata/docs whose files complete it, and the file that
// the block is; without a name it is example.floto.hcl. A block of text after it
// that follows the comment <!-- says --> holds the diagnostics that it gives;
// without such a block it has none. A block after <!-- lock file --> is a lock
// file.
type docExample struct {
	line             int
	with, file       string
	lock             bool
	source, expected string
}

var (
	docFence   = regexp.MustCompile("(?ms)((?:^<!-- [^\n]* -->\n)?)^```(hcl|text)\n(.*?)^```$")
	docSetting = regexp.MustCompile(`(with|file): ([^\s,]+)`)
)

const (
	saysComment = "<!-- says -->\n"
	lockComment = "<!-- lock file -->\n"
)

func docExamples(src string) []docExample {
	var out []docExample
	for _, m := range docFence.FindAllStringSubmatchIndex(src, -1) {
		comment, kind, text := src[m[2]:m[3]], src[m[4]:m[5]], src[m[6]:m[7]]
		switch {
		case kind == "hcl":
			e := docExample{line: 1 + strings.Count(src[:m[6]], "\n"), file: "example.floto.hcl", source: text, lock: comment == lockComment}
			for _, s := range docSetting.FindAllStringSubmatch(comment, -1) {
				if s[1] == "with" {
					e.with = s[2]
				} else {
					e.file = s[2]
				}
			}
			out = append(out, e)
		case comment == saysComment && len(out) > 0:
			out[len(out)-1].expected = text
		}
	}
	return out
}

// TestDocExamples loads every block of configuration in the documents.
func TestDocExamples(t *testing.T) {
	var names []string
	for _, pattern := range []string{"../README.md", "../docs/*.md", "../docs/adr/*.md", "../examples/*/README.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, found...)
	}
	n := 0
	for _, name := range names {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range docExamples(string(src)) {
			n++
			if got := e.load(t); got != e.expected {
				t.Errorf("%s:%d: the example gives:\n%s\nbut the document says:\n%s", name, e.line, got, e.expected)
			}
		}
	}
	if n < 8 {
		t.Errorf("only %d examples found", n)
	}
}

// load gives the diagnostics of the example.
func (e docExample) load(t *testing.T) string {
	t.Helper()
	if e.lock {
		return e.parseLock(t)
	}
	fsys := fstest.MapFS{}
	if e.with != "" {
		a, err := txtar.ParseFile("testdata/docs/" + e.with + ".txtar")
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(fsys, archiveFS(a))
	}
	fsys[e.file] = &fstest.MapFile{Data: []byte(e.source), Mode: 0o644}
	cfg, diags := Load(fsys, Options{ToolVersion: "0.1.0"})
	return writtenDiagnostics(t, diags, cfg.Files)
}

// parseLock gives the diagnostics of a lock file, which must be as flotobuild
// writes it but for the comment at its head.
func (e docExample) parseLock(t *testing.T) string {
	t.Helper()
	lock, diags := ParseLock([]byte(e.source), LockFile)
	if !diags.HasErrors() && !strings.HasSuffix(string(lock.Encode()), e.source) {
		t.Errorf("line %d: flotobuild would write:\n%s", e.line, lock.Encode())
	}
	return writtenDiagnostics(t, diags, map[string]*hcl.File{LockFile: {Bytes: []byte(e.source)}})
}

func writtenDiagnostics(t *testing.T, diags hcl.Diagnostics, files map[string]*hcl.File) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteDiagnostics(&b, diags, files, DiagnosticsOptions{Width: 90}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
