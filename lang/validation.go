package lang

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// validate applies a variable's validation blocks; from is the place of the
// value.
func (f *frame) validate(from hcl.Range, b *block) {
	for _, c := range b.blocks {
		if c.attrs["condition"] != nil && c.attrs["error_message"] != nil {
			f.validation(from, c)
		}
	}
}

func (f *frame) validation(from hcl.Range, b *block) {
	cond := b.attrs["condition"].Expr
	got, diags := cond.Value(f.ctx)
	f.report(diags...)
	if diags.HasErrors() {
		return
	}
	got, _ = got.UnmarkDeep()
	ok, err := convert.Convert(got, cty.Bool)
	if err != nil || ok.IsNull() {
		f.report(failure(cond.Range(), "Wrong type", "The condition of a validation must be true or false."))
		return
	}
	if !ok.IsKnown() || ok.True() {
		return
	}
	f.report(at(failure(from, "Invalid value for variable", "%s\n\nThe rule stands at %s.", f.errorMessage(b.attrs["error_message"]), place(b.header)), cond, f.ctx))
}

// errorMessage evaluates the message of a validation that failed.
func (f *frame) errorMessage(a *hcl.Attribute) string {
	const fallback = "The value does not satisfy the variable's validation rule."
	v, diags := a.Expr.Value(f.ctx)
	f.report(diags...)
	if diags.HasErrors() {
		return fallback
	}
	if isSensitive(v) {
		f.report(failure(a.Expr.Range(), "Sensitive value not allowed", "An error message is shown and cannot hold a sensitive value."))
		return fallback
	}
	s, err := convert.Convert(v, cty.String)
	if err != nil || s.IsNull() || !s.IsKnown() {
		f.report(failure(a.Expr.Range(), "Wrong type", "The error message must be a string."))
		return fallback
	}
	return s.AsString()
}
