package lang

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// explainKey says which keys there are where an expression names an attribute
// or element that is missing: the syntax package says only that it is. repeats
// reports whether an address is that of a block with for_each.
func explainKey(d *hcl.Diagnostic, repeats func(addr string) bool) {
	explainFunction(d)
	if d.Summary != "Unsupported attribute" && d.Summary != "Invalid index" && d.Summary != "Missing map element" {
		return
	}
	m, ok := missingKeyOf(d)
	if !ok {
		return
	}
	keys := slices.Sorted(maps.Keys(m.in.AsValueMap()))
	hint := ""
	if len(keys) > 0 {
		hint = didYouMeanOr(m.key, keys, "It has: %s.", keyList(m.in))
	}
	if m.of != "" && repeats(m.of) {
		d.Summary = "Unknown instance"
		d.Detail = "The for_each of " + m.of + " makes no instance " + valueText(cty.StringVal(m.key)) + "." + hint
		return
	}
	d.Detail += hint
}

// explainFunction makes the suggestion for an unknown function. That of the syntax
// package depends on chance where several are near.
func explainFunction(d *hcl.Diagnostic) {
	x, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallUnknownDiagExtra](d)
	if !ok || d.EvalContext == nil || x.CalledFunctionNamespace() != "" {
		return
	}
	var known []string
	for ctx := d.EvalContext; ctx != nil; ctx = ctx.Parent() {
		known = slices.AppendSeq(known, maps.Keys(ctx.Functions))
	}
	d.Detail = fmt.Sprintf("There is no function named %q.%s", x.CalledFunctionName(), didYouMean(x.CalledFunctionName(), known))
}

// A missingKey is what an expression looks for in vain.
type missingKey struct {
	in  cty.Value // an object or a map
	of  string    // the reference to it; empty where it is another expression
	key string
}

// missingKeyOf finds the step at which the diagnostic's expression fails.
func missingKeyOf(d *hcl.Diagnostic) (missingKey, bool) {
	if d.EvalContext == nil {
		return missingKey{}, false
	}
	switch e := d.Expression.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		v, diags := e.Traversal[:1].TraverseAbs(d.EvalContext)
		if diags.HasErrors() {
			return missingKey{}, false
		}
		return missingStep(v, e.Traversal, 1)
	case *hclsyntax.RelativeTraversalExpr:
		v, diags := e.Source.Value(d.EvalContext)
		if diags.HasErrors() {
			return missingKey{}, false
		}
		return missingStep(v, e.Traversal, 0)
	case *hclsyntax.IndexExpr:
		v, diags := e.Collection.Value(d.EvalContext)
		key, keyDiags := e.Key.Value(d.EvalContext)
		if diags.HasErrors() || keyDiags.HasErrors() || key.IsMarked() || !key.IsKnown() || key.IsNull() || key.Type() != cty.String {
			return missingKey{}, false
		}
		t, _ := hcl.AbsTraversalForExpr(e.Collection)
		return missingIn(v, traversalText(t), key.AsString())
	}
	return missingKey{}, false
}

// missingStep follows a traversal from its step i on.
func missingStep(v cty.Value, t hcl.Traversal, i int) (missingKey, bool) {
	for ; i < len(t); i++ {
		next, diags := t[i].TraversalStep(v)
		if !diags.HasErrors() {
			v = next
			continue
		}
		key, ok := step(t, i)
		if !ok {
			break
		}
		of := ""
		if !t.IsRelative() {
			of = traversalText(t[:i])
		}
		return missingIn(v, of, key)
	}
	return missingKey{}, false
}

// missingIn leaves out sensitive objects, whose keys are not shown.
func missingIn(v cty.Value, of, key string) (missingKey, bool) {
	if v.IsMarked() || !v.IsKnown() || v.IsNull() || !v.Type().IsObjectType() && !v.Type().IsMapType() {
		return missingKey{}, false
	}
	_, has := v.AsValueMap()[key]
	return missingKey{in: v, of: of, key: key}, !has
}
