package lang

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// A jsonExpression is an expression of a JSON file, whose strings are templates.
// It is made native when it is evaluated first, so that the meter can stand
// within.
type jsonExpression struct {
	hcl.Expression
	meter *meter

	native hclsyntax.Expression
	diags  hcl.Diagnostics
}

// Value implements hcl.Expression.
func (e *jsonExpression) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if ctx == nil {
		return e.Expression.Value(nil)
	}
	native := e.parsed()
	if e.diags.HasErrors() {
		return cty.DynamicVal, e.diags
	}
	return native.Value(ctx)
}

// parsed gives the native expression.
func (e *jsonExpression) parsed() hclsyntax.Expression {
	if e.native == nil {
		e.native = e.meter.native(e.convert(e.Expression))
	}
	return e.native
}

// UnwrapExpression lets static analysis see the expression itself.
func (e *jsonExpression) UnwrapExpression() hcl.Expression { return e.Expression }

// convert makes a native expression of arrays, objects, strings and other
// literals.
func (e *jsonExpression) convert(expr hcl.Expression) hclsyntax.Expression {
	rng := expr.Range()
	if items, diags := hcl.ExprList(expr); !diags.HasErrors() {
		out := &hclsyntax.TupleConsExpr{SrcRange: rng, OpenRange: expr.StartRange()}
		for _, i := range items {
			out.Exprs = append(out.Exprs, e.convert(i))
		}
		return out
	}
	if pairs, diags := hcl.ExprMap(expr); !diags.HasErrors() {
		return e.object(expr, pairs)
	}
	v, diags := expr.Value(nil)
	e.diags = append(e.diags, diags...)
	if v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
		return e.template(v.AsString(), rng)
	}
	return &hclsyntax.LiteralValueExpr{Val: v, SrcRange: rng}
}

func (e *jsonExpression) object(expr hcl.Expression, pairs []hcl.KeyValuePair) hclsyntax.Expression {
	out := &hclsyntax.ObjectConsExpr{SrcRange: expr.Range(), OpenRange: expr.StartRange()}
	seen := make(map[string]bool)
	for _, p := range pairs {
		key, _ := p.Key.Value(nil)
		if seen[key.AsString()] {
			e.diags = append(e.diags, failure(p.Key.Range(), "Duplicate object attribute", "The name %q stands twice in the object. Remove one.", key.AsString()))
		}
		seen[key.AsString()] = true
		out.Items = append(out.Items, hclsyntax.ObjectConsItem{
			KeyExpr:   &hclsyntax.ObjectConsKeyExpr{Wrapped: e.template(key.AsString(), p.Key.Range()), ForceNonLiteral: true},
			ValueExpr: e.convert(p.Value),
		})
	}
	return out
}

// template parses the text of a string. Positions within it are right as long as
// it has no escapes.
func (e *jsonExpression) template(text string, rng hcl.Range) hclsyntax.Expression {
	start := rng.Start
	start.Byte++
	start.Column++
	out, diags := hclsyntax.ParseTemplate([]byte(text), rng.Filename, start)
	e.diags = append(e.diags, diags...)
	return out
}
