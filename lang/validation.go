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
		f.condition(c, "validation", func(message string) *hcl.Diagnostic {
			return failure(from, "Invalid value for variable", "%s\n\nThe rule stands at %s.", message, place(c.header))
		})
	}
}

// preconditions applies the precondition blocks of a site or an image.
func (f *frame) preconditions(b *block) {
	for _, c := range b.blocks {
		if c.kind != "precondition" {
			continue
		}
		f.condition(c, "precondition", func(message string) *hcl.Diagnostic {
			rng := c.header
			if a := c.attrs["condition"]; a != nil {
				rng = a.Expr.Range()
			}
			return failure(rng, "Precondition not met", "%s\n\n%s needs it.", message, f.node.addr+f.instance.suffix())
		})
	}
}

// condition evaluates a block with condition and error_message, and reports what
// failed makes of the message where the condition is false.
func (f *frame) condition(b *block, kind string, failed func(message string) *hcl.Diagnostic) {
	if b.attrs["condition"] == nil || b.attrs["error_message"] == nil {
		return // reported when it was read
	}
	cond := b.attrs["condition"].Expr
	got, diags := cond.Value(f.ctx)
	f.report(diags...)
	if diags.HasErrors() {
		return
	}
	got, _ = got.UnmarkDeep()
	ok, err := convert.Convert(got, cty.Bool)
	if err != nil || ok.IsNull() {
		f.report(failure(cond.Range(), "Wrong type", "The condition of a %s must be true or false.", kind))
		return
	}
	if !ok.IsKnown() || ok.True() {
		return
	}
	f.report(at(failed(f.errorMessage(b.attrs["error_message"], kind)), cond, f.ctx))
}

// errorMessage evaluates the message of a condition that is false.
func (f *frame) errorMessage(a *hcl.Attribute, kind string) string {
	fallback := "The condition of the " + kind + " is false."
	if kind == "validation" {
		fallback = "The value does not satisfy the variable's validation rule."
	}
	v, diags := a.Expr.Value(f.ctx)
	f.report(diags...)
	if diags.HasErrors() {
		return fallback
	}
	if isSensitive(v) {
		f.report(failure(a.Expr.Range(), "Sensitive value not allowed", "An error message is shown and cannot hold a sensitive value."))
		return fallback
	}
	if !v.IsWhollyKnown() {
		return fallback
	}
	s, err := convert.Convert(v, cty.String)
	if err != nil || s.IsNull() {
		f.report(failure(a.Expr.Range(), "Wrong type", "The error message must be a string."))
		return fallback
	}
	return s.AsString()
}
