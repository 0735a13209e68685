package lang

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// A valueNote says what a variable in a diagnostic's expression holds.
type valueNote struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// valueNotes lists the known values of the variables in the diagnostic's
// expression. Sensitive ones are left out.
func valueNotes(d *hcl.Diagnostic) []valueNote {
	if d.Expression == nil || d.EvalContext == nil {
		return nil
	}
	var out []valueNote
	for _, t := range d.Expression.Variables() {
		v, diags := t.TraverseAbs(d.EvalContext)
		if diags.HasErrors() || isSensitive(v) || !v.IsKnown() {
			continue
		}
		note := valueNote{Name: traversalText(t), Value: valueText(v)}
		if !slices.Contains(out, note) {
			out = append(out, note)
		}
	}
	return out
}

func traversalText(t hcl.Traversal) string {
	var b strings.Builder
	for _, s := range t {
		switch s := s.(type) {
		case hcl.TraverseRoot:
			b.WriteString(s.Name)
		case hcl.TraverseAttr:
			b.WriteString("." + s.Name)
		case hcl.TraverseIndex:
			b.WriteString("[" + valueText(s.Key) + "]")
		}
	}
	return b.String()
}

// valueText describes a value in one line: simple ones in full, others by type
// and size.
func valueText(v cty.Value) string {
	const longest = 60
	t := v.Type()
	switch {
	case !v.IsKnown():
		return "not known"
	case v.IsNull():
		return "null"
	case t == cty.String:
		return strconv.Quote(head(v.AsString(), longest))
	case t == cty.Number:
		return head(v.AsBigFloat().Text('g', 20), longest)
	case t == cty.Bool:
		return strconv.FormatBool(v.True())
	case t.IsObjectType():
		return fmt.Sprintf("an object with %s", count(len(t.AttributeTypes()), "attribute"))
	case t.IsTupleType(), t.IsCollectionType():
		kind := "list"
		if !t.IsTupleType() {
			kind, _, _ = strings.Cut(t.FriendlyName(), " ")
		}
		return fmt.Sprintf("a %s with %s", kind, count(v.LengthInt(), "element"))
	}
	return t.FriendlyName()
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// shortNumbers gives whole numbers the precision that they need: as text, those
// of the language's full precision cost many times as much.
func shortNumbers(vars map[string]cty.Value) map[string]cty.Value {
	out := make(map[string]cty.Value, len(vars))
	for name, v := range vars {
		out[name] = v
		if v.Type() != cty.Number || v.IsMarked() || !v.IsKnown() || v.IsNull() {
			continue
		}
		if n, accuracy := v.AsBigFloat().Int64(); accuracy == big.Exact {
			out[name] = cty.NumberIntVal(n)
		}
	}
	return out
}
