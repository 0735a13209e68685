package lang

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// A siteVariable is a variable of a root definition file whose value only the
// site knows.
type siteVariable struct {
	ManifestVariable
	kind        variableType
	preset      cty.Value // converted; NilVal where there is none
	placeholder cty.Value // stands for the value where the patch is made; converted
	rng         hcl.Range
}

// Where the value of a variable comes from.
const (
	fromProject = "project" // the attribute vars of the site
	fromSite    = "site"    // whoever runs the site
)

// isFromSite says whether a variable block declares one that only the site
// knows. A wrong one is reported, and counts as none.
func (r *rootFrame) isFromSite(b *block) bool {
	before := len(r.diags)
	a := b.attrs["from"]
	text := r.constantText(b, "from")
	if a != nil && text != fromProject && text != fromSite && len(r.diags) == before {
		r.report(failure(a.Expr.Range(), "Invalid origin",
			"The attribute \"from\" must be %q, for a value from the attribute vars of the site, or %q, for one that only the site knows.", fromProject, fromSite))
	}
	if text != fromSite {
		for _, name := range []string{"sensitive", "placeholder"} {
			if a := b.attrs[name]; a != nil {
				r.report(failure(a.NameRange, "Attribute not allowed here",
					"The attribute %q is for variables with from = \"site\" only. Values of the attribute vars of a site are recorded in plans and patches.", name))
			}
		}
	}
	return text == fromSite
}

// siteVariable reads the block of a variable that only the site knows. It
// returns nil where something is wrong.
func (r *rootFrame) siteVariable(b *block) *siteVariable {
	before := len(r.diags)
	v := &siteVariable{kind: r.variableType(b), rng: b.header}
	if a := b.attrs["type"]; len(r.diags) == before && (a == nil || v.kind.constraint.HasDynamicTypes()) {
		rng := b.header
		if a != nil {
			rng = a.Expr.Range()
		}
		r.report(failure(rng, "Type missing",
			"The variable %q is known at the site only, and needs a type without any: the type says how the site's text is read, and what stands for it until then. Write type = string or another one.", b.name()))
	}
	v.Name = b.name()
	if a := b.attrs["type"]; a != nil {
		v.Type = r.scope.project.sourceText(a.Expr.Range())
	}
	v.Description = r.constantText(b, "description")
	v.Sensitive = r.constantFlag(b, "sensitive", false)
	v.preset = r.fixedValue(b, "default", v.kind)
	v.placeholder = r.fixedValue(b, "placeholder", v.kind)
	v.Required = b.attrs["default"] == nil
	v.checkFixed(r, b)
	if len(r.diags) > before {
		return nil
	}
	if v.placeholder == cty.NilVal {
		v.placeholder = placeholderOf(v.kind.constraint.WithoutOptionalAttributesDeep(), v.Name)
	}
	return v
}

// checkFixed refuses secrets in files that travel, and what has no effect.
func (v *siteVariable) checkFixed(r *rootFrame, b *block) {
	if v.Sensitive && v.preset != cty.NilVal && !v.preset.IsNull() {
		r.report(failure(b.attrs["default"].Expr.Range(), "Default of a sensitive variable",
			"The default of variable %q stands in a file that travels in conf of every patch. Remove it, and set the value at the site. Null may stand for no value.", v.Name))
	}
	if a := b.attrs["placeholder"]; a != nil && !v.Required {
		r.report(failure(a.NameRange, "Placeholder without use",
			"A placeholder stands for the value where there is no default, and the variable %q has one. Remove either of them.", v.Name))
	}
}

// fixedValue evaluates a constant and converts it to the variable's type.
func (r *rootFrame) fixedValue(b *block, name string, t variableType) cty.Value {
	a := b.attrs[name]
	if a == nil {
		return cty.NilVal
	}
	raw, diags := a.Expr.Value(nil)
	r.report(diags...)
	if diags.HasErrors() {
		return cty.NilVal
	}
	out, err := t.convert(raw)
	switch {
	case err != nil:
		r.report(failure(a.Expr.Range(), "Invalid value for variable", "The %s of variable %q does not fit its type: %s.", name, b.name(), convertReason(err)))
		return cty.NilVal
	case out.IsNull() && !t.nullable:
		r.report(failure(a.Expr.Range(), "Invalid value for variable", "The variable %q has nullable = false, and its %s is null.", b.name(), name))
		return cty.NilVal
	}
	return out
}

// PlaceholderText begins the texts that stand for values which only the site
// knows; the name of the variable follows.
const PlaceholderText = "site-value-of-"

// placeholderOf makes a value of a type without optional attributes: texts say
// whose they are, numbers are 0, and collections are empty.
func placeholderOf(t cty.Type, name string) cty.Value {
	switch {
	case t == cty.String:
		return cty.StringVal(PlaceholderText + name)
	case t == cty.Number:
		return cty.Zero
	case t == cty.Bool:
		return cty.False
	case t.IsListType():
		return cty.ListValEmpty(t.ElementType())
	case t.IsSetType():
		return cty.SetValEmpty(t.ElementType())
	case t.IsMapType():
		return cty.MapValEmpty(t.ElementType())
	case t.IsTupleType():
		elements := make([]cty.Value, 0, t.Length())
		for _, e := range t.TupleElementTypes() {
			elements = append(elements, placeholderOf(e, name))
		}
		return cty.TupleVal(elements)
	case t.IsObjectType():
		members := make(map[string]cty.Value)
		for n, e := range t.AttributeTypes() {
			members[n] = placeholderOf(e, name)
		}
		return cty.ObjectVal(members)
	}
	return cty.NullVal(t)
}

// sourceText is what stands at a place, with the optional attributes and defaults
// that a type itself does not have.
func (p *project) sourceText(rng hcl.Range) string {
	f := p.files[rng.Filename]
	if f == nil || rng.End.Byte > len(f.Bytes) || rng.Start.Byte > rng.End.Byte {
		return ""
	}
	return string(f.Bytes[rng.Start.Byte:rng.End.Byte])
}
