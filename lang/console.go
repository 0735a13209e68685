package lang

import (
	"io/fs"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
)

// A Console evaluates expressions in an evaluated configuration.
type Console struct {
	scope *scope
}

// consoleName stands in diagnostics for what was typed.
const consoleName = "<console>"

// NewConsole loads the configuration as Load does. With errors in it the console
// still works: what is in error is unknown.
func NewConsole(fsys fs.FS, opts Options) (*Console, *Config, hcl.Diagnostics) {
	p := newProject(fsys, opts)
	s := p.evaluate()
	cfg := s.config()
	p.checkSites(cfg)
	p.checkEnvelopes(cfg)
	diags := p.finish(s.results)
	return &Console{scope: s}, cfg, diags
}

// Evaluate gives the value of an expression in the syntax of the language, for
// people to read. Sensitive values are masked. Each call has the whole budget of
// evaluation; calls must not run at the same time.
func (c *Console) Evaluate(src string) (string, hcl.Diagnostics) {
	p := c.scope.project
	p.diags = nil
	p.files[consoleName] = &hcl.File{Bytes: []byte(src)}
	p.meter.reset()
	if len(src) > MaxSourceSize {
		return "", hcl.Diagnostics{failure(fileRange(consoleName), "Expression too long", "The expression is larger than %d bytes.", MaxSourceSize)}
	}
	if d := checkNesting(consoleName, []byte(src)); d != nil {
		return "", hcl.Diagnostics{d}
	}
	expr, diags := hclsyntax.ParseExpression([]byte(src), consoleName, hcl.InitialPos)
	if diags.HasErrors() {
		return "", diags
	}
	n := &node{name: "console", addr: "console", refs: expr.Variables(), value: cty.DynamicVal, decl: &expressionDecl{p.meter.native(expr)}}
	c.scope.evaluate(n, expr.Range())
	diags = p.finish(c.scope.results)
	if diags.HasErrors() {
		return "", diags
	}
	return valueSource(n.value), diags
}

// An expressionDecl is an expression that was typed.
type expressionDecl struct{ expr hcl.Expression }

func (d *expressionDecl) evaluate(f *frame) cty.Value {
	v, diags := d.expr.Value(f.ctx)
	f.report(diags...)
	if diags.HasErrors() {
		return cty.DynamicVal
	}
	return v
}

// Text writes the variable's value in the syntax of the language, and masks it
// where it is sensitive.
func (v *Variable) Text() string {
	if v.Sensitive {
		return withheld
	}
	return valueSource(v.Value)
}

// valueSource writes a value in the syntax of the language.
func valueSource(v cty.Value) string {
	const unknown = "(not known)"
	if isSensitive(v) {
		return withheld
	}
	if !v.IsWhollyKnown() {
		return unknown
	}
	text := string(hclwrite.Format(hclwrite.TokensForValue(v).Bytes()))
	return strings.TrimSpace(text)
}
