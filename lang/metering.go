package lang

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// body gives a file's body with the meter in all expressions. Those of JSON are
// parsed when they are used: see jsonExpression.
func (m *meter) body(b hcl.Body) hcl.Body {
	native, ok := b.(*hclsyntax.Body)
	if !ok {
		return jsonBody{b, m}
	}
	for _, a := range native.Attributes {
		a.Expr = m.native(a.Expr)
	}
	for _, c := range native.Blocks {
		m.body(c.Body)
	}
	return native
}

// native puts the meter around an expression and into it. References, literals
// and the names of object elements stay as they are: they cost nothing, and
// the syntax package looks for them by their type.
func (m *meter) native(expr hclsyntax.Expression) hclsyntax.Expression {
	switch e := expr.(type) {
	case nil, metered, choice, *hclsyntax.ScopeTraversalExpr, *hclsyntax.LiteralValueExpr, *hclsyntax.AnonSymbolExpr, *hclsyntax.ExprSyntaxError:
		return expr
	case *hclsyntax.ObjectConsKeyExpr:
		e.Wrapped = m.native(e.Wrapped)
		return expr
	}
	m.within(expr)
	return metered{Expression: expr, meter: m}
}

// within puts the meter around the parts of an expression.
func (m *meter) within(expr hclsyntax.Expression) {
	switch e := expr.(type) {
	case *hclsyntax.TemplateExpr:
		m.all(e.Parts)
	case *hclsyntax.TupleConsExpr:
		m.all(e.Exprs)
	case *hclsyntax.FunctionCallExpr:
		m.all(e.Args)
	case *hclsyntax.ObjectConsExpr:
		for i := range e.Items {
			m.each(&e.Items[i].KeyExpr, &e.Items[i].ValueExpr)
		}
	case *hclsyntax.ForExpr:
		m.each(&e.CollExpr, &e.KeyExpr, &e.ValExpr, &e.CondExpr)
		if c, ok := e.CollExpr.(metered); ok {
			c.loop = true
			e.CollExpr = c
		}
	case *hclsyntax.ConditionalExpr:
		m.each(&e.Condition, &e.TrueResult, &e.FalseResult)
		e.TrueResult, e.FalseResult = newChoice(e.TrueResult), newChoice(e.FalseResult)
	case *hclsyntax.BinaryOpExpr:
		m.each(&e.LHS, &e.RHS)
	case *hclsyntax.IndexExpr:
		m.each(&e.Collection, &e.Key)
	case *hclsyntax.SplatExpr:
		m.each(&e.Source, &e.Each)
	case *hclsyntax.UnaryOpExpr:
		m.each(&e.Val)
	case *hclsyntax.ParenthesesExpr:
		m.each(&e.Expression)
	case *hclsyntax.TemplateWrapExpr:
		m.each(&e.Wrapped)
	case *hclsyntax.TemplateJoinExpr:
		m.each(&e.Tuple)
	case *hclsyntax.RelativeTraversalExpr:
		m.each(&e.Source)
	}
}

func (m *meter) all(exprs []hclsyntax.Expression) {
	for i := range exprs {
		exprs[i] = m.native(exprs[i])
	}
}

func (m *meter) each(exprs ...*hclsyntax.Expression) {
	for _, e := range exprs {
		*e = m.native(*e)
	}
}

// A choice is a result of a conditional expression, which makes both results of
// one type: see levelValue.
type choice struct{ hclsyntax.Expression }

// newChoice puts an expression that stays as it is between parentheses, in which
// the syntax package finds it.
func newChoice(expr hclsyntax.Expression) choice {
	if _, ok := expr.(metered); !ok {
		expr = &hclsyntax.ParenthesesExpr{Expression: expr, SrcRange: expr.Range()}
	}
	return choice{expr}
}

// Value implements hcl.Expression.
func (c choice) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	const many = 1000
	v, diags := c.Expression.Value(ctx)
	if v.Type().IsTupleType() && v.Type().Length() > many {
		v = levelValue(v)
	}
	return v, diags
}

// UnwrapExpression lets static analysis see the expression itself.
func (c choice) UnwrapExpression() hcl.Expression { return c.Expression }
