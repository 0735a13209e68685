package lang

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

var eachNames = []string{"key", "value"}

// An instance is one of the things that a block with for_each declares, or what
// a block without it declares.
type instance struct {
	repeated bool
	key      string
	value    cty.Value
}

// suffix is what an instance's address has behind the block's.
func (i instance) suffix() string {
	if !i.repeated {
		return ""
	}
	return "[" + strconv.Quote(i.key) + "]"
}

// repeats reports whether a block has for_each.
func (b *block) repeats() bool { return b.attrs["for_each"] != nil }

func (d *imageDecl) repeats() bool  { return d.block.repeats() }
func (d *siteDecl) repeats() bool   { return d.block.repeats() }
func (d *moduleDecl) repeats() bool { return d.block.repeats() }

// instances evaluates for_each. It returns false where the instances cannot be
// known, and one instance for a block without for_each.
func (f *frame) instances(b *block) ([]instance, bool) {
	a := b.attrs["for_each"]
	if a == nil {
		return []instance{{}}, true
	}
	if t := rootReference(a.Expr, "each"); t != nil && !f.instance.repeated {
		f.report(failure(t.SourceRange(), "Invalid reference", "for_each makes each.key and each.value, so that it cannot use them itself."))
		return nil, false
	}
	v, diags := a.Expr.Value(f.ctx)
	f.report(diags...)
	if diags.HasErrors() || !isSensitive(v) && !v.IsKnown() {
		return nil, false
	}
	if d := forEachError(a, v); d != nil {
		f.report(at(d, a.Expr, f.ctx))
		return nil, false
	}
	return instancesOf(v), true
}

func rootReference(expr hcl.Expression, root string) hcl.Traversal {
	for _, t := range expr.Variables() {
		if t.RootName() == root {
			return t
		}
	}
	return nil
}

// forEachError says what is wrong with a known value of for_each.
func forEachError(a *hcl.Attribute, v cty.Value) *hcl.Diagnostic {
	const remedy = "Write a map or an object, or a set of strings such as toset([\"a\", \"b\"])."
	rng := a.Expr.Range()
	t := v.Type()
	switch {
	case isSensitive(v):
		return failure(rng, "Sensitive value not allowed", "The keys of for_each are shown in addresses and names: it cannot be sensitive.")
	case v.IsNull():
		return failure(rng, "Invalid for_each", "The value is null. %s", remedy)
	case t.IsObjectType() || t.IsMapType():
		return nil
	case t.IsTupleType() || t.IsListType():
		return failure(rng, "Invalid for_each", "The value is a list, in which an element's key would change with its position. Write toset(…) around a list of strings, or make a map: { for x in … : x.name => x }.")
	case !t.IsSetType():
		return failure(rng, "Invalid for_each", "The value is of type %s. %s", t.FriendlyName(), remedy)
	}
	for _, e := range v.AsValueSlice() {
		if e.IsNull() || e.Type() != cty.String {
			return failure(rng, "Invalid for_each", "A set for for_each holds strings only, and no null. %s", remedy)
		}
	}
	return nil
}

// instancesOf lists the elements in the order of their keys.
func instancesOf(v cty.Value) []instance {
	out := []instance{}
	if v.Type().IsSetType() {
		for _, e := range v.AsValueSlice() {
			if e.IsKnown() {
				out = append(out, instance{repeated: true, key: e.AsString(), value: e})
			}
		}
		return out
	}
	elems := v.AsValueMap()
	for _, k := range slices.Sorted(maps.Keys(elems)) {
		out = append(out, instance{repeated: true, key: k, value: elems[k]})
	}
	return out
}

// within gives the frame in which an instance is evaluated. Its diagnostics are
// its own until they are handed back with close.
func (f *frame) within(i instance) *frame {
	out := *f
	out.diags, out.outer, out.instance = nil, f, i
	vars := maps.Clone(f.ctx.Variables)
	if i.repeated {
		members := map[string]cty.Value{}
		if v, ok := vars["each"]; ok && v.Type().IsObjectType() {
			maps.Copy(members, v.AsValueMap()) // misspelt ones, which are unknown
		}
		members["key"], members["value"] = cty.StringVal(i.key), i.value
		vars["each"] = cty.ObjectVal(members)
	}
	out.ctx = &hcl.EvalContext{Variables: vars, Functions: f.ctx.Functions}
	return &out
}

// close hands an instance's diagnostics to the block's frame.
func (f *frame) close() {
	for _, d := range f.diags {
		Of(d, f.node.addr+f.instance.suffix())
	}
	f.outer.report(f.diags...)
}

// gather makes the value that references to a block give: that of its only
// instance, or an object of all by their keys.
func gather(all []instance, values []cty.Value) cty.Value {
	if len(all) == 1 && !all[0].repeated {
		return values[0]
	}
	out := make(map[string]cty.Value, len(all))
	for i, inst := range all {
		out[inst.key] = values[i]
	}
	return cty.ObjectVal(out)
}

// isRepeated reports whether a value is what references to an image with
// for_each give: an object of images.
func isRepeated(v cty.Value) bool {
	if v.IsNull() || !v.Type().IsObjectType() || addressOf(v) != "" {
		return false
	}
	for _, e := range v.AsValueMap() {
		if addressOf(e) == "" {
			return false
		}
	}
	return v.LengthInt() > 0
}

// keyList lists an object's first keys for a message.
func keyList(v cty.Value) string {
	const most = 8
	keys := slices.Sorted(maps.Keys(v.AsValueMap()))
	if len(keys) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(keys[:most], ", "), len(keys)-most)
	}
	return strings.Join(keys, ", ")
}
