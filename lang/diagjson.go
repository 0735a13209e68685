package lang

import (
	"encoding/json"

	"github.com/hashicorp/hcl/v2"
)

// diagnosticsFormat is the version of the JSON form.
const diagnosticsFormat = 1

type jsonDiagnostics struct {
	FormatVersion int              `json:"formatVersion"`
	Valid         bool             `json:"valid"`
	ErrorCount    int              `json:"errorCount"`
	WarningCount  int              `json:"warningCount"`
	Diagnostics   []jsonDiagnostic `json:"diagnostics"`
}

type jsonDiagnostic struct {
	Severity string       `json:"severity"` // error or warning
	Summary  string       `json:"summary"`
	Detail   string       `json:"detail,omitempty"`
	Range    *jsonRange   `json:"range,omitempty"`
	Snippet  *jsonSnippet `json:"snippet,omitempty"`
	Values   []valueNote  `json:"values,omitempty"`
	Address  string       `json:"address,omitempty"` // of what it is about
	Further  *jsonFurther `json:"further,omitempty"`
}

// A jsonFurther says in which instances the same is wrong.
type jsonFurther struct {
	Count     int      `json:"count"`
	Addresses []string `json:"addresses"` // the first ones
}

type jsonRange struct {
	Filename string  `json:"filename"`
	Start    jsonPos `json:"start"`
	End      jsonPos `json:"end"`
}

// A jsonPos counts lines and columns from 1, bytes from 0.
type jsonPos struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Byte   int `json:"byte"`
}

// A jsonSnippet is the source line in three parts; Marked is the place.
type jsonSnippet struct {
	Before string `json:"before"`
	Marked string `json:"marked"`
	After  string `json:"after"`
	Masked bool   `json:"masked,omitempty"` // the line holds a sensitive value
}

// DiagnosticsJSON gives the diagnostics in their versioned JSON form, with what
// WriteDiagnostics shows. Nothing sensitive is in it.
func DiagnosticsJSON(diags hcl.Diagnostics, files map[string]*hcl.File) ([]byte, error) {
	mask := newLineMask(files, diags)
	out := jsonDiagnostics{FormatVersion: diagnosticsFormat, Valid: !diags.HasErrors(), Diagnostics: []jsonDiagnostic{}}
	for _, d := range fold(diags) {
		j := jsonDiagnostic{Severity: "error", Summary: d.Summary, Detail: d.Detail, Range: newJSONRange(d.Subject), Values: valueNotes(d)}
		if d.Severity == hcl.DiagWarning {
			j.Severity = "warning"
			out.WarningCount++
		} else {
			out.ErrorCount++
		}
		if s := sourceLine(files, mask, d.Subject); s != nil {
			j.Snippet = &jsonSnippet{Before: s.before, Marked: s.marked, After: s.after, Masked: s.masked}
		}
		j.Address, j.Further = newJSONFurther(originOf(d))
		out.Diagnostics = append(out.Diagnostics, j)
	}
	return json.MarshalIndent(out, "", "  ")
}

func newJSONFurther(o *origin) (string, *jsonFurther) {
	const most = 20
	switch {
	case o == nil:
		return "", nil
	case len(o.further) == 0:
		return o.address, nil
	}
	return o.address, &jsonFurther{Count: len(o.further), Addresses: o.further[:min(len(o.further), most)]}
}

func newJSONRange(r *hcl.Range) *jsonRange {
	if r == nil || r.Filename == "" {
		return nil
	}
	return &jsonRange{
		Filename: r.Filename,
		Start:    jsonPos{r.Start.Line, r.Start.Column, r.Start.Byte},
		End:      jsonPos{r.End.Line, r.End.Column, r.End.Byte},
	}
}
