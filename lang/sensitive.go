package lang

import (
	"cmp"
	"math/big"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// sensitive marks values that must not be shown.
type sensitive struct{}

const withheld = "(sensitive value)"

func markSensitive(v cty.Value) cty.Value { return v.Mark(sensitive{}) }

// secret marks values that must not be shown, and that may stand in what the site
// makes of a root definition: they come from there.
type secret struct{}

// isSensitive reports whether a value or any part of it must not be shown.
func isSensitive(v cty.Value) bool {
	if !v.IsMarked() && v.Type().IsPrimitiveType() {
		return false
	}
	_, marks := v.UnmarkDeep()
	return hides(marks)
}

func hides(marks cty.ValueMarks) bool {
	_, a := marks[sensitive{}]
	_, b := marks[secret{}]
	return a || b
}

// revealed takes the marks off a value that may stand where the site alone reads
// it. It is false for one that may not.
func (f *frame) revealed(v cty.Value) (cty.Value, bool) {
	plain, marks := v.UnmarkDeep()
	if _, ok := marks[sensitive{}]; ok {
		return v, false
	}
	f.used = appendSecrets(f.used, v)
	return plain, true
}

// syntaxError is the Extra of diagnostics from parsing.
type syntaxError struct{}

// secrets lists the texts within all sensitive values, longest first. Texts of
// one or two characters are left out: replacing them would show where they
// stand.
func (r *results) secrets() []string {
	var out []string
	for _, s := range r.scopes {
		for _, n := range s.nodes {
			out = appendSecrets(out, n.value)
		}
		for _, v := range s.vars {
			out = appendSecrets(out, v.Value)
		}
	}
	return longestFirst(out)
}

func longestFirst(texts []string) []string {
	slices.SortFunc(texts, func(a, b string) int { return cmp.Or(len(b)-len(a), cmp.Compare(a, b)) })
	return slices.Compact(texts)
}

func appendSecrets(out []string, v cty.Value) []string {
	if !isSensitive(v) {
		return out
	}
	plain, paths := v.UnmarkDeepWithPaths()
	for _, pm := range paths {
		if !hides(pm.Marks) {
			continue
		}
		part, err := pm.Path.Apply(plain)
		if err != nil {
			part = plain
		}
		out = appendTexts(out, part)
	}
	return out
}

// appendTexts appends the strings and numbers within a value.
func appendTexts(out []string, v cty.Value) []string {
	_ = cty.Walk(v, func(_ cty.Path, e cty.Value) (bool, error) {
		if !e.IsKnown() || e.IsNull() {
			return false, nil
		}
		text := ""
		switch e.Type() {
		case cty.String:
			text = e.AsString()
		case cty.Number:
			text = numberText(e.AsBigFloat())
		}
		if len(text) > 2 {
			out = append(out, text)
		}
		return true, nil
	})
	return out
}

// numberText writes a number in full where that is short.
func numberText(n *big.Float) string {
	if n.MantExp(nil) > 1000 || n.MantExp(nil) < -1000 {
		return ""
	}
	return n.Text('f', -1)
}

// redact removes sensitive values from the diagnostics' texts.
func redact(diags hcl.Diagnostics, secrets []string, mask *lineMask) hcl.Diagnostics {
	for _, d := range diags {
		at := subject(d)
		if isCallError(d) && (usesSensitive(d) || mask.masked(at.Filename, at.Start.Line)) {
			d.Detail = "A function failed. The reason is not shown, because it may hold a sensitive value."
		}
		if i := strings.Index(d.Detail, "panic in function implementation"); i >= 0 {
			// The rest is a stack trace, which says nothing to the user.
			d.Detail = d.Detail[:i] + "it has no result for these arguments."
		}
		o := originOf(d)
		for _, s := range secrets {
			if o != nil {
				o.address = strings.ReplaceAll(o.address, s, withheld)
			}
			d.Summary = strings.ReplaceAll(d.Summary, s, withheld)
			d.Detail = strings.ReplaceAll(d.Detail, s, withheld)
		}
	}
	return diags
}

func isCallError(d *hcl.Diagnostic) bool {
	_, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d)
	return ok
}

// usesSensitive reports whether the diagnostic's expression refers to a
// sensitive value.
func usesSensitive(d *hcl.Diagnostic) bool {
	if d.Expression == nil || d.EvalContext == nil {
		return false
	}
	for _, t := range d.Expression.Variables() {
		v, diags := t.TraverseAbs(d.EvalContext)
		if diags.HasErrors() || isSensitive(v) {
			return true
		}
	}
	return false
}
