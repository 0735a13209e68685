package lang

import (
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// A lineMask knows the source lines that hold sensitive values. It is made from
// the files alone, so that it works where evaluation never came so far.
type lineMask struct {
	files map[string]*hcl.File
	lines map[string]map[int]bool // by file and line number, from 1
	names []string                // sensitive variables
	plain map[string]bool         // names of all other variables
	whole map[string]bool         // files of which no line is shown
}

var maskSchema = &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "variable", LabelNames: []string{"name"}}}}

var maskModuleSchema = &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "module", LabelNames: []string{"name"}}}}

var maskVariableSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "default"}, {Name: "sensitive"}}}

// newLineMask looks through the files. Those with syntax errors, and those that
// could not be parsed, are judged by their text.
func newLineMask(files map[string]*hcl.File, diags hcl.Diagnostics) *lineMask {
	m := &lineMask{files: files, lines: make(map[string]map[int]bool), plain: make(map[string]bool), whole: make(map[string]bool)}
	broken := make(map[string]bool)
	for _, d := range diags {
		if _, ok := hcl.DiagnosticExtra[syntaxError](d); ok && d.Subject != nil {
			broken[d.Subject.Filename] = true
		}
	}
	for name, f := range files {
		m.declared(f)
		m.calls(name, f.Bytes)
		if broken[name] {
			m.brokenDeclarations(name, f.Bytes)
		}
	}
	for name, f := range files {
		m.assigned(f)
		if broken[name] {
			m.brokenAssignments(name, f.Bytes)
		}
	}
	return m
}

// masked reports whether a line must not be shown.
func (m *lineMask) masked(file string, line int) bool {
	return m.whole[file] || m.lines[file][line]
}

func (m *lineMask) hide(file string, from, to int) {
	if m.lines[file] == nil {
		m.lines[file] = make(map[int]bool)
	}
	for l := from; l <= to; l++ {
		m.lines[file][l] = true
	}
}

func (m *lineMask) hideRange(r hcl.Range) { m.hide(r.Filename, r.Start.Line, r.End.Line) }

// declared finds sensitive variables and hides their defaults.
func (m *lineMask) declared(f *hcl.File) {
	if f.Body == nil {
		return
	}
	content, _, _ := f.Body.PartialContent(maskSchema)
	for _, b := range content.Blocks {
		v, _, _ := b.Body.PartialContent(maskVariableSchema)
		if !saysSensitive(v.Attributes["sensitive"]) {
			m.plain[b.Labels[0]] = true
			continue
		}
		m.names = append(m.names, b.Labels[0])
		if a := v.Attributes["default"]; a != nil {
			m.hideRange(hcl.RangeBetween(a.Range, a.Expr.Range()))
		}
	}
}

// saysSensitive is true in case of doubt.
func saysSensitive(a *hcl.Attribute) bool {
	if a == nil {
		return false
	}
	v, diags := a.Expr.Value(nil)
	return diags.HasErrors() || v.IsNull() || v.Type() != cty.Bool || !v.IsKnown() || v.True()
}

// assigned hides the values that variable files and module blocks give to
// sensitive variables.
func (m *lineMask) assigned(f *hcl.File) {
	if f.Body == nil {
		return
	}
	attrs := hcl.Attributes{}
	if native, ok := f.Body.(*hclsyntax.Body); ok {
		for n, a := range native.Attributes {
			attrs[n] = a.AsHCLAttribute()
		}
	} else {
		attrs, _ = f.Body.JustAttributes()
	}
	m.hideNamed(attrs)
	content, _, _ := f.Body.PartialContent(maskModuleSchema)
	for _, b := range content.Blocks {
		attrs, _ := b.Body.JustAttributes()
		m.hideNamed(attrs)
	}
}

func (m *lineMask) hideNamed(attrs hcl.Attributes) {
	for n, a := range attrs {
		if m.secretName(n) {
			m.hideRange(hcl.RangeBetween(a.Range, a.Expr.Range()))
		}
	}
}

// secretName reports whether a name is that of a sensitive variable, or may be a
// misspelt one.
func (m *lineMask) secretName(name string) bool {
	return slices.Contains(m.names, name) || !m.plain[name] && didYouMean(name, m.names) != ""
}

var sensitiveCall = regexp.MustCompile(`\bsensitive\s*\(`)

// calls hides lines that call sensitive(), which may be given a literal.
func (m *lineMask) calls(name string, src []byte) {
	for i, line := range strings.Split(string(src), "\n") {
		if sensitiveCall.MatchString(line) {
			m.hide(name, i+1, i+1)
		}
	}
}

var (
	variableHeader   = regexp.MustCompile(`^\s*variable\s+"?([^"\s{]*)"?`)
	sensitiveSetting = regexp.MustCompile(`\bsensitive"?\s*[=:]\s*(\S+)`)
	assignmentHeader = regexp.MustCompile(`^\s*"?([\pL_][\pL\pN_-]*)"?\s*[=:]`)
)

// brokenDeclarations hides the whole of each block of a sensitive variable in a
// file that does not parse, and all of a JSON file that has one.
func (m *lineMask) brokenDeclarations(name string, src []byte) {
	lines := strings.Split(string(src), "\n")
	if strings.HasSuffix(name, ".json") {
		m.whole[name] = m.whole[name] || strings.Contains(string(src), `"sensitive"`)
		return
	}
	start, variable := -1, ""
	flush := func(end int) {
		if start >= 0 && textSaysSensitive(lines[start:end]) {
			m.names = append(m.names, variable)
			m.hide(name, start+1, end)
		}
	}
	for i, line := range lines {
		if h := variableHeader.FindStringSubmatch(line); h != nil {
			flush(i)
			start, variable = i, h[1]
		}
	}
	flush(len(lines))
}

func textSaysSensitive(lines []string) bool {
	for _, l := range lines {
		if s := sensitiveSetting.FindStringSubmatch(l); s != nil && !strings.HasPrefix(s[1], "false") {
			return true
		}
	}
	return false
}

// brokenAssignments hides what a variable file that does not parse gives to
// sensitive variables.
func (m *lineMask) brokenAssignments(name string, src []byte) {
	if strings.HasSuffix(name, ".json") {
		m.whole[name] = m.whole[name] || len(m.names) > 0
		return
	}
	hidden := false
	for i, line := range strings.Split(string(src), "\n") {
		if h := assignmentHeader.FindStringSubmatch(line); h != nil {
			hidden = m.secretName(h[1])
		}
		if hidden {
			m.hide(name, i+1, i+1)
		}
	}
}
