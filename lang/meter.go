package lang

import (
	"cmp"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Evaluation is paid for in units: about one for each element of a value that is
// made or looked through, and for each textUnit bytes of text. The budget keeps
// a project from running for minutes or taking gigabytes.
const (
	budget   = 50_000_000
	maxValue = 250_000 // units of one value
	textUnit = 256     // bytes of a text that is there already
	makeUnit = 8       // bytes of a text that is made
	callCost = 10
	lookCost = 8  // of each unit of a value that an operation looks through
	loopCost = 30 // of each element that a for expression goes through

	blockCost = 200 // of each block that a dynamic block makes
)

// A meter counts what evaluation costs. When it has tripped, expressions give
// unknown values at once, so that evaluation comes to its end by itself.
type meter struct {
	whole     int // the budget
	left      int
	granted   int             // units added to the first budget
	tripped   *hcl.Diagnostic // of the node under way
	exhausted bool            // the budget is used up, and that has been reported
}

func newMeter(opts Options) *meter {
	whole := cmp.Or(opts.steps, budget)
	return &meter{whole: whole, left: whole}
}

// reset makes the whole budget available again.
func (m *meter) reset() { m.left, m.granted, m.tripped, m.exhausted = m.whole, 0, nil, false }

// settle ends the evaluation of a node: it weighs the node's value, and returns
// what is wrong with its cost.
func (m *meter) settle(n *node) *hcl.Diagnostic {
	m.weigh(n.value, 1, n.header)
	return m.trippedBy()
}

// Compiling a site is paid for from the budget, which grows with each site: many
// sites are no sign of a loop. It grows up to a limit, because instances of a
// site cost nothing to write.
const (
	siteGrant = 500_000
	maxGrants = 10 // times the budget
)

// grant adds to the budget for one more site.
func (m *meter) grant() {
	if m.tripped == nil && m.granted < maxGrants*m.whole {
		n := min(siteGrant, m.whole)
		m.granted += n
		m.left += n
	}
}

// trippedBy returns what is wrong with the cost of what was evaluated last, once.
func (m *meter) trippedBy() *hcl.Diagnostic {
	d := m.tripped
	if d == nil {
		return nil
	}
	if m.left > 0 {
		m.tripped = nil
		return d
	}
	if m.exhausted {
		return nil
	}
	m.exhausted = true
	return d
}

// pay takes units off the budget.
func (m *meter) pay(units int, at hcl.Range) {
	m.left -= units
	if m.left <= 0 && m.tripped == nil {
		m.tripped = failure(at, "Evaluation too expensive",
			"Evaluating the configuration takes more steps than flotobuild allows; it was stopped here. Look for loops within loops over long lists, and for text or lists that double from one local value to the next.")
	}
}

// weigh pays for looking through a value, and refuses values that are too large.
func (m *meter) weigh(v cty.Value, unit int, at hcl.Range) {
	if m.tripped != nil {
		return
	}
	s := scale{left: maxValue}
	s.add(v, 0)
	switch {
	case s.number:
		m.tripped = failure(at, "Number too large", "The number has more than %d digits.", maxDigits)
	case s.deep:
		m.tripped = failure(at, "Value nested too deeply", "Lists, maps and objects may stand %d deep within each other.", maxValueDepth)
	case s.left < 0:
		m.tripped = failure(at, "Value too large", "The value has more than %d elements, or more than %d MiB of text.", maxValue, maxValue*textUnit>>20)
	}
	m.pay(unit*(maxValue-max(s.left, 0)), at)
}

// A metered expression pays for its evaluation.
type metered struct {
	hclsyntax.Expression
	meter *meter
	loop  bool // a for expression goes through the value
}

// Value implements hcl.Expression.
func (e metered) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	m := e.meter
	if m.tripped != nil {
		return cty.DynamicVal, nil
	}
	m.before(e.Expression, ctx)
	if m.tripped != nil {
		return cty.DynamicVal, nil
	}
	v, diags := e.Expression.Value(ctx)
	m.after(e.Expression, v)
	if e.loop {
		m.payLoop(v, e.Range())
	}
	if m.tripped != nil {
		return cty.DynamicVal, nil
	}
	return v, diags
}

// UnwrapExpression lets static analysis see the expression itself.
func (e metered) UnwrapExpression() hcl.Expression { return e.Expression }

// before pays for operands that are plain references and so pay nothing
// themselves: texts that a template copies, and values that a call or a
// comparison looks through.
func (m *meter) before(expr hclsyntax.Expression, ctx *hcl.EvalContext) {
	m.pay(1, expr.Range())
	switch e := expr.(type) {
	case *hclsyntax.TemplateExpr:
		for _, p := range e.Parts {
			if v, ok := m.reference(p, ctx); ok && v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
				m.pay(len(v.AsString())/makeUnit, p.Range())
			}
		}
	case *hclsyntax.ForExpr:
		if v, ok := m.reference(e.CollExpr, ctx); ok {
			m.payLoop(v, expr.Range())
		}
	case *hclsyntax.FunctionCallExpr:
		m.pay(callCost, expr.Range())
		for _, a := range e.Args {
			m.operand(a, ctx)
		}
	case *hclsyntax.BinaryOpExpr:
		m.operand(e.LHS, ctx)
		m.operand(e.RHS, ctx)
	case *hclsyntax.ConditionalExpr:
		m.operand(e.TrueResult, ctx)
		m.operand(e.FalseResult, ctx)
	}
}

func (m *meter) operand(expr hclsyntax.Expression, ctx *hcl.EvalContext) {
	if v, ok := m.reference(expr, ctx); ok {
		m.weigh(v, lookCost, expr.Range())
	}
}

// reference gives the value of an expression that is a plain reference.
func (m *meter) reference(expr hclsyntax.Expression, ctx *hcl.EvalContext) (cty.Value, bool) {
	if c, ok := expr.(choice); ok {
		expr = c.Expression
		if p, ok := expr.(*hclsyntax.ParenthesesExpr); ok {
			expr = p.Expression
		}
	}
	t, ok := expr.(*hclsyntax.ScopeTraversalExpr)
	if !ok || m.tripped != nil {
		return cty.NilVal, false
	}
	v, diags := t.Value(ctx)
	if diags.HasErrors() {
		return cty.NilVal, false
	}
	v, _ = v.Unmark()
	return v, true
}

// after pays for what an expression has made.
func (m *meter) after(expr hclsyntax.Expression, v cty.Value) {
	v, _ = v.Unmark()
	if _, ok := expr.(*hclsyntax.SplatExpr); ok {
		m.payLoop(v, expr.Range())
	}
	if v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
		m.pay(len(v.AsString())/makeUnit, expr.Range())
	}
	m.weigh(v, lookCost/2, expr.Range())
}

// payLoop pays for going through a value.
func (m *meter) payLoop(v cty.Value, at hcl.Range) {
	v, _ = v.Unmark()
	if v.IsKnown() && v.CanIterateElements() {
		m.pay(loopCost*v.LengthInt(), at)
	}
}

// Limits of values besides their size.
const (
	maxDigits     = 12_000
	maxValueDepth = 400
	maxExponent2  = 40_000 // binary; somewhat more than maxDigits
)

// A scale weighs a value, and stops when it is too heavy.
type scale struct {
	left         int
	deep, number bool
}

func (s *scale) add(v cty.Value, depth int) {
	s.left--
	v, _ = v.Unmark()
	t := v.Type()
	switch {
	case s.left < 0 || !v.IsKnown() || v.IsNull():
	case t == cty.String:
		s.left -= len(v.AsString()) / textUnit
	case t == cty.Number:
		f := v.AsBigFloat()
		if e := f.MantExp(nil); !f.IsInf() && (e > maxExponent2 || e < -maxExponent2) {
			s.number = true
		}
	case v.CanIterateElements():
		s.elements(v, depth)
	}
}

func (s *scale) elements(v cty.Value, depth int) {
	if depth >= maxValueDepth {
		s.deep = true
		return
	}
	for it := v.ElementIterator(); it.Next() && s.left >= 0 && !s.deep; {
		k, e := it.Element()
		if !v.Type().IsSetType() && k.Type() == cty.String && !k.IsMarked() {
			s.left -= len(k.AsString()) / textUnit
		}
		s.add(e, depth+1)
	}
}
