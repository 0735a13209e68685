package lang

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// A frame is the evaluation of one node.
type frame struct {
	scope *scope
	node  *node
	ctx   *hcl.EvalContext
	diags hcl.Diagnostics

	broken []hcl.Traversal // references that have been reported
	used   []string        // texts of secret values that attributes and templates gave

	outer    *frame   // of the block, in the frame of an instance
	instance instance // of a block with for_each
}

// newFrame resolves the node's references into its edges.
func (s *scope) newFrame(n *node) *frame {
	f := &frame{scope: s, node: n}
	seen := make(map[*node]bool)
	for _, t := range n.refs {
		dep, d := s.resolve(t, n)
		switch {
		case d != nil:
			f.report(d)
			f.broken = append(f.broken, t)
		case dep != nil && !seen[dep]:
			seen[dep] = true
			n.edges = append(n.edges, edge{to: dep, rng: t.SourceRange()})
		}
	}
	return f
}

func (f *frame) report(diags ...*hcl.Diagnostic) { f.diags = append(f.diags, diags...) }

// finish says in every diagnostic what it is about.
func (f *frame) finish(address string) {
	for _, d := range f.diags {
		Of(d, address)
		explainKey(d, f.scope.isRepeated)
	}
}

// isRepeated reports whether an address is that of a block with for_each.
func (s *scope) isRepeated(addr string) bool {
	n := s.nodes[addr]
	if n == nil {
		return false
	}
	d, ok := n.decl.(interface{ repeats() bool })
	return ok && d.repeats()
}

// value evaluates an attribute to a known value of the wanted type, without
// sensitive parts. It returns false where there is none: the attribute is unset
// or null, or errors have been reported here or earlier.
func (f *frame) value(b *block, name string, want cty.Type) (cty.Value, bool) {
	a := b.attrs[name]
	if a == nil {
		return cty.NilVal, false
	}
	v, diags := a.Expr.Value(f.ctx)
	f.report(diags...)
	if diags.HasErrors() {
		return cty.NilVal, false
	}
	if v.IsNull() {
		if b.mustHave(name) {
			f.report(at(failure(a.Expr.Range(), "Missing value", "The attribute %q must not be null.", name), a.Expr, f.ctx))
		}
		return cty.NilVal, false
	}
	if isSensitive(v) {
		var ok bool
		if v, ok = f.revealed(v); !ok {
			f.report(at(sensitiveError(a), a.Expr, f.ctx))
			return cty.NilVal, false
		}
	}
	out, err := convertTo(v, want)
	if err != nil {
		f.report(at(failure(a.Expr.Range(), "Wrong type", "The attribute %q needs %s: %s.", name, typeName(want), err), a.Expr, f.ctx))
		return cty.NilVal, false
	}
	if !out.IsWhollyKnown() || out.IsNull() {
		return cty.NilVal, false
	}
	return out, true
}

// convertTo is convert.Convert, and quick where all elements are strings already.
func convertTo(v cty.Value, want cty.Type) (cty.Value, error) {
	t := v.Type()
	switch {
	case !v.IsKnown() || v.IsNull():
	case want == cty.List(cty.String) && t.IsTupleType() && t.Length() > 0:
		if !slices.ContainsFunc(t.TupleElementTypes(), notString) {
			return cty.ListVal(v.AsValueSlice()), nil
		}
	case want == cty.Map(cty.String) && t.IsObjectType() && len(t.AttributeTypes()) > 0:
		for _, e := range t.AttributeTypes() {
			if notString(e) {
				return convert.Convert(v, want)
			}
		}
		return cty.MapVal(v.AsValueMap()), nil
	}
	return convert.Convert(v, want)
}

func notString(t cty.Type) bool { return t != cty.String }

// sensitiveError refuses a sensitive value in an attribute that plans and
// patches record.
func sensitiveError(a *hcl.Attribute) *hcl.Diagnostic {
	if slices.Contains([]string{"args", "labels", "vars"}, a.Name) {
		return failure(a.Expr.Range(), "Sensitive value not allowed",
			"The attribute %q is recorded in plans and patches and cannot hold a sensitive value. Hand secrets to a build with the image's attribute secrets.", a.Name)
	}
	return failure(a.Expr.Range(), "Sensitive value not allowed",
		"The attribute %q is recorded in plans and patches and cannot hold a sensitive value.", a.Name)
}

func (f *frame) text(b *block, name string) (string, bool) {
	v, ok := f.value(b, name, cty.String)
	if !ok {
		return "", false
	}
	return v.AsString(), true
}

func (f *frame) flag(b *block, name string) bool {
	v, ok := f.value(b, name, cty.Bool)
	return ok && v.True()
}

// texts evaluates a list of strings. Null elements are errors.
func (f *frame) texts(b *block, name string) ([]string, bool) {
	v, ok := f.value(b, name, cty.List(cty.String))
	if !ok {
		return nil, false
	}
	out := []string{}
	for _, e := range v.AsValueSlice() {
		if e.IsNull() {
			f.report(failure(b.attrs[name].Expr.Range(), "Null element", "The elements of %q must not be null.", name))
			return nil, false
		}
		out = append(out, e.AsString())
	}
	return out, true
}

// textMap evaluates a map of strings. Null elements are left out, so that an
// element can depend on a condition.
func (f *frame) textMap(b *block, name string) map[string]string {
	v, ok := f.value(b, name, cty.Map(cty.String))
	if !ok || v.LengthInt() == 0 {
		return nil
	}
	out := make(map[string]string)
	for k, e := range v.AsValueMap() {
		if !e.IsNull() {
			out[k] = e.AsString()
		}
	}
	return out
}

// elements evaluates an attribute that holds an object or a map.
func (f *frame) elements(b *block, name string) map[string]cty.Value {
	v, ok := f.value(b, name, cty.DynamicPseudoType)
	if !ok {
		return nil
	}
	if !v.Type().IsObjectType() && !v.Type().IsMapType() {
		f.report(failure(b.attrs[name].Expr.Range(), "Wrong type", "The attribute %q needs a map: write { name = … }.", name))
		return nil
	}
	return v.AsValueMap()
}

// typeName names a type in a sentence.
func typeName(t cty.Type) string {
	switch {
	case t == cty.String:
		return "a string"
	case t == cty.Bool:
		return "true or false"
	case t.IsListType():
		return "a list of strings"
	case t.IsMapType():
		return "a map of strings"
	}
	return strings.TrimSpace(fmt.Sprintf("a value of type %s", t.FriendlyName()))
}

// elementRange is the place of an element of a list or map as far as the
// expression shows it, else the expression's.
func elementRange(expr hcl.Expression, key string) hcl.Range {
	pairs, diags := hcl.ExprMap(expr)
	if diags.HasErrors() {
		return expr.Range()
	}
	for _, p := range pairs {
		k, diags := p.Key.Value(nil)
		if !diags.HasErrors() && k.Type() == cty.String && k.IsKnown() && !k.IsNull() && k.AsString() == key {
			return p.Value.Range()
		}
	}
	return expr.Range()
}

// itemRange is the place of a list's element as far as the expression shows it.
func itemRange(expr hcl.Expression, i int) hcl.Range {
	items, diags := hcl.ExprList(expr)
	if diags.HasErrors() || i >= len(items) {
		return expr.Range()
	}
	return items[i].Range()
}
