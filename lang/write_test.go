package lang

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/hcl/v2"
)

// TestWriteDiagnosticsHostile prints sources that try to steer the terminal, and
// ranges that do not fit their sources.
func TestWriteDiagnosticsHostile(t *testing.T) {
	files := map[string]*hcl.File{
		"a": {Bytes: []byte("\x1b[2J\tx \u202e y\n")},
		"b": {Bytes: []byte(strings.Repeat("ab", 1<<19))},
		"c": {},
	}
	long := hcl.Range{Filename: "b", Start: hcl.Pos{Line: 1, Column: 500001, Byte: 500000}, End: hcl.Pos{Line: 1, Column: 500011, Byte: 500010}}
	diags := hcl.Diagnostics{
		{Severity: hcl.DiagError, Summary: "A\x1b[2J", Detail: "B\x1b", Subject: &hcl.Range{Filename: "a", Start: hcl.Pos{Line: 1, Column: 1}, End: hcl.Pos{Line: 9, Byte: 999}}},
		{Severity: hcl.DiagError, Summary: "Long", Subject: &long},
		{Severity: hcl.DiagWarning, Summary: "Beyond", Subject: &hcl.Range{Filename: "a", Start: hcl.Pos{Line: 7, Column: 3, Byte: 1000}}},
		{Severity: hcl.DiagError, Summary: "Empty", Subject: &hcl.Range{Filename: "c", Start: hcl.InitialPos, End: hcl.InitialPos}},
		{Severity: hcl.DiagError, Summary: "No place"},
	}
	var b strings.Builder
	if err := WriteDiagnostics(&b, diags, files, DiagnosticsOptions{Width: 80}); err != nil {
		t.Fatal(err)
	}
	got := b.String()
	if strings.ContainsAny(got, "\x1b\u202e") {
		t.Errorf("control characters are printed: %q", got)
	}
	for _, line := range strings.Split(got, "\n") {
		if columns(line) > 80 {
			t.Errorf("line of %d columns: %s", columns(line), line)
		}
	}
	if want := "a:7,3: warning: Beyond\n"; !strings.Contains(got, want) {
		t.Errorf("no %q in %s", want, got)
	}
}

func TestWriteDiagnosticsColor(t *testing.T) {
	_, diags := Load(fstest.MapFS{"x.floto.hcl": {Data: []byte("locals {\n\ta = \"日\" + b\n}\n")}}, Options{})
	files := map[string]*hcl.File{"x.floto.hcl": {Bytes: []byte("locals {\n\ta = \"日\" + b\n}\n")}}
	var colored, plainText strings.Builder
	if err := errors.Join(
		WriteDiagnostics(&colored, diags, files, DiagnosticsOptions{Color: true}),
		WriteDiagnostics(&plainText, diags, files, DiagnosticsOptions{}),
	); err != nil {
		t.Fatal(err)
	}
	stripped := colored.String()
	for _, e := range []string{bold, red, yellow, plain} {
		stripped = strings.ReplaceAll(stripped, e, "")
	}
	if stripped != plainText.String() || stripped == colored.String() {
		t.Errorf("colour changes the text:\n%s\n%s", stripped, plainText.String())
	}
	if want := "   2 |   a = \"日\" + b\n     |              ^\n"; !strings.Contains(stripped, want) {
		t.Errorf("no\n%s in\n%s", want, stripped)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestWriteDiagnosticsError(t *testing.T) {
	diags := hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "A"}}
	if err := WriteDiagnostics(fullDisk{}, diags, nil, DiagnosticsOptions{}); err == nil {
		t.Error("the error of the writer is lost")
	}
}
