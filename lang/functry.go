package lang

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/customdecode"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// tryFunc and canFunc are those of hcl's ext/tryfunc with two differences: what
// depends on whether an expression with sensitive values fails is sensitive, too,
// and an expression is evaluated once, so that nested calls take no exponential
// time.
var (
	tryFunc = function.New(&function.Spec{
		VarParam: tryfunc.TryFunc.VarParam(),
		Type:     function.StaticReturnType(cty.DynamicPseudoType),
		Impl:     func(args []cty.Value, _ cty.Type) (cty.Value, error) { return try(args) },
	})
	canFunc = function.New(&function.Spec{
		Params: tryfunc.CanFunc.Params(),
		Type:   function.StaticReturnType(cty.Bool),
		Impl:   func(args []cty.Value, _ cty.Type) (cty.Value, error) { return can(args[0]), nil },
	})
)

func try(args []cty.Value) (cty.Value, error) {
	secret := false
	var reasons []string
	for _, a := range args {
		c := customdecode.ExpressionClosureFromVal(a)
		v, diags := c.Value()
		switch {
		case diags.HasErrors():
			secret = secret || mayFailBySecret(c)
			reasons = append(reasons, callError(diags).Error())
			continue
		case !v.IsWhollyKnown():
			v = cty.DynamicVal // what is known later may fail
		}
		if secret {
			v = markSensitive(v)
		}
		return v, nil
	}
	if len(reasons) == 0 {
		return cty.DynamicVal, errors.New("at least one argument is needed")
	}
	return cty.DynamicVal, fmt.Errorf("every argument has an error: %s", strings.Join(reasons, "; "))
}

func can(arg cty.Value) cty.Value {
	c := customdecode.ExpressionClosureFromVal(arg)
	v, diags := c.Value()
	out := cty.BoolVal(!diags.HasErrors())
	if !diags.HasErrors() && !v.IsWhollyKnown() {
		out = cty.UnknownVal(cty.Bool)
	}
	if mayFailBySecret(c) {
		return markSensitive(out)
	}
	return out
}

// mayFailBySecret reports whether sensitive values can decide if an expression
// fails. That an object lacks an attribute is no secret, whatever stands in the
// others.
func mayFailBySecret(c *customdecode.ExpressionClosure) bool {
	if t, diags := hcl.AbsTraversalForExpr(c.Expression); !diags.HasErrors() {
		return passesSecret(t, c.EvalContext)
	}
	for _, t := range c.Expression.Variables() {
		v, diags := t.TraverseAbs(c.EvalContext)
		if diags.HasErrors() && passesSecret(t, c.EvalContext) || !diags.HasErrors() && isSensitive(v) {
			return true
		}
	}
	return false
}

// passesSecret reports whether a reference goes through a sensitive value.
func passesSecret(t hcl.Traversal, ctx *hcl.EvalContext) bool {
	for i := 1; i < len(t); i++ {
		v, diags := t[:i].TraverseAbs(ctx)
		if diags.HasErrors() {
			return false
		}
		if v.HasMark(sensitive{}) {
			return true
		}
	}
	return false
}
