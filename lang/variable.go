package lang

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// A variableDecl is a variable block.
type variableDecl struct{ block *block }

// A variableType is what the block says about its values.
type variableType struct {
	constraint cty.Type // with optional attributes
	defaults   *typeexpr.Defaults
	literal    bool // strings from outside are taken as they are, not as expressions
	nullable   bool
}

func (d *variableDecl) evaluate(f *frame) cty.Value {
	b := d.block
	v := &Variable{Name: b.name(), Range: b.header, Value: cty.DynamicVal}
	f.scope.vars[v.Name] = v
	v.Description = f.constantText(b, "description")
	v.Sensitive = f.constantFlag(b, "sensitive", false)
	t := f.variableType(b)
	v.Files = f.inputFiles(v.Name)
	v.Type = t.constraint.WithoutOptionalAttributesDeep()
	value, from, ok := f.variableValue(v, t, b)
	if !ok {
		return cty.DynamicVal
	}
	v.Value = value
	if v.Sensitive {
		v.Value = markSensitive(value)
	}
	v.Sensitive = v.Sensitive || isSensitive(value)
	f.bindVariable(v)
	f.checkDefault(v, b)
	f.validate(from, b)
	return v.Value
}

// inputFiles lists the files that set a variable.
func (f *frame) inputFiles(name string) []string {
	var out []string
	for _, in := range f.scope.inputs[name] {
		if in.kind == fromFile {
			out = append(out, in.origin)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (f *frame) variableType(b *block) variableType {
	t := variableType{constraint: cty.DynamicPseudoType, literal: true}
	t.nullable = f.constantFlag(b, "nullable", true)
	a := b.attrs["type"]
	if a == nil {
		return t
	}
	ty, defaults, diags := typeexpr.TypeConstraintWithDefaults(a.Expr)
	f.report(suggestTypes(diags)...)
	if !diags.HasErrors() {
		t.constraint, t.defaults, t.literal = ty, defaults, ty.IsPrimitiveType()
	}
	return t
}

var unknownType = regexp.MustCompile(`^The keyword "([^"]*)" is not a valid type specification\.$`)

// suggestTypes adds what a misspelt type may have meant.
func suggestTypes(diags hcl.Diagnostics) hcl.Diagnostics {
	for _, d := range diags {
		if m := unknownType.FindStringSubmatch(d.Detail); m != nil {
			d.Detail = fmt.Sprintf("There is no type %q.%s", m[1], didYouMeanOr(m[1],
				[]string{"string", "number", "bool", "any", "list", "set", "map", "object", "tuple"},
				"Write string, number, bool, list(…), set(…), map(…), object({…}), tuple([…]) or any."))
		}
	}
	return diags
}

// variableValue chooses between the inputs and the default, and converts the
// value. from is the place where it stands.
func (f *frame) variableValue(v *Variable, t variableType, b *block) (value cty.Value, from hcl.Range, ok bool) {
	in, ok := f.chosenInput(v, b)
	if !ok {
		return cty.NilVal, from, false
	}
	v.Origin = in.origin
	from = in.place(b.header)
	raw, diags := in.value(t.literal, f.scope.project.meter)
	if diags.HasErrors() {
		f.reportInput(v, in, from, diags)
		return cty.NilVal, from, false
	}
	if !raw.IsWhollyKnown() {
		return cty.NilVal, from, false // what it comes from is in error
	}
	if raw.IsNull() && !t.nullable {
		if a := b.attrs["default"]; a != nil && in.expr != a.Expr {
			raw, _ = a.Expr.Value(nil)
		}
	}
	value, err := t.convert(raw)
	switch {
	case err != nil:
		why := ""
		if !v.Sensitive {
			why = ": " + convertReason(err)
		}
		f.report(failure(from, "Invalid value for variable", "The value of variable %q (%s) does not fit its type %s%s.",
			v.Name, in.title(), typeexpr.TypeString(t.constraint), why))
		return cty.NilVal, from, false
	case value.IsNull() && !t.nullable:
		f.report(failure(from, "Invalid value for variable", "The variable %q has nullable = false, and null was given (%s).", v.Name, in.title()))
		return cty.NilVal, from, false
	}
	return value, from, true
}

// checkDefault warns of a secret in the configuration, whose files travel.
func (f *frame) checkDefault(v *Variable, b *block) {
	a := b.attrs["default"]
	if a == nil || !v.Sensitive {
		return
	}
	if value, diags := a.Expr.Value(nil); diags.HasErrors() || value.IsNull() {
		return
	}
	d := failure(a.Expr.Range(), "Default of a sensitive variable",
		"The default of variable %q stands in a file that travels in conf of every patch. Remove it, and give the value in %s, which does not travel where it sets a sensitive variable.",
		v.Name, variablesFile)
	d.Severity = hcl.DiagWarning
	f.report(d)
}

// convertReason names the attribute or element in which a conversion failed.
func convertReason(err error) string {
	var p cty.PathError
	if errors.As(err, &p) && len(p.Path) > 0 {
		return pathText(p.Path) + ": " + p.Error()
	}
	return err.Error()
}

func pathText(p cty.Path) string {
	out := ""
	for _, s := range p {
		switch s := s.(type) {
		case cty.GetAttrStep:
			out += "." + s.Name
		case cty.IndexStep:
			if s.Key.Type() == cty.String && s.Key.IsKnown() && !s.Key.IsMarked() {
				out += fmt.Sprintf("[%q]", s.Key.AsString())
			} else {
				out += "[…]"
			}
		}
	}
	return "at " + out
}

func (t variableType) convert(v cty.Value) (cty.Value, error) {
	if t.defaults != nil && !v.IsNull() {
		v = t.defaults.Apply(v)
	}
	return convert.Convert(v, t.constraint)
}

// chosenInput returns the winning input, or the default.
func (f *frame) chosenInput(v *Variable, b *block) (input, bool) {
	if given := f.scope.inputs[v.Name]; len(given) > 0 {
		return given[len(given)-1], true
	}
	if a := b.attrs["default"]; a != nil {
		return input{name: v.Name, origin: "default", expr: a.Expr, rng: a.Expr.Range()}, true
	}
	if c := f.scope.call; c != nil {
		f.report(failure(c.header, "No value for variable",
			"The module's variable %q (%s) has no default. Give a value here: %s = ….", v.Name, place(b.header), v.Name))
		return input{}, false
	}
	f.report(failure(b.header, "No value for variable",
		"The variable %q has no default and no value was given. Give one with -var '%s=…', with the environment variable %s%s, or in the file %s.",
		v.Name, v.Name, variablePrefix, v.Name, variablesFile))
	return input{}, false
}

// reportInput reports why an input cannot be evaluated. Of a sensitive variable
// the reason is withheld, because it may quote the value.
func (f *frame) reportInput(v *Variable, in input, from hcl.Range, diags hcl.Diagnostics) {
	if in.expr != nil && !v.Sensitive {
		f.report(diags...)
		return
	}
	why := "The reason is not shown, because the value is sensitive."
	if !v.Sensitive {
		why = diags[0].Summary + ": " + diags[0].Detail
	}
	f.report(failure(from, "Invalid value for variable", "The value of variable %q (%s) is no expression of the language. %s", v.Name, in.title(), why))
}

// bindVariable lets validations refer to the variable itself.
func (f *frame) bindVariable(v *Variable) {
	members := map[string]cty.Value{}
	if o, ok := f.ctx.Variables["var"]; ok {
		members = o.AsValueMap()
	}
	members[v.Name] = v.Value
	f.ctx.Variables["var"] = cty.ObjectVal(members)
}

// constantText and constantFlag evaluate what must be known before everything
// else.
func (f *frame) constantText(b *block, name string) string {
	v, ok := f.constant(b, name, cty.String)
	if !ok {
		return ""
	}
	return v.AsString()
}

func (f *frame) constantFlag(b *block, name string, unset bool) bool {
	v, ok := f.constant(b, name, cty.Bool)
	if !ok {
		return unset || name == "sensitive" && b.attrs[name] != nil
	}
	return v.True()
}

func (f *frame) constant(b *block, name string, want cty.Type) (cty.Value, bool) {
	a := b.attrs[name]
	if a == nil {
		return cty.NilVal, false
	}
	v, diags := a.Expr.Value(nil)
	f.report(diags...)
	if diags.HasErrors() {
		return cty.NilVal, false
	}
	out, err := convert.Convert(v, want)
	if err != nil {
		f.report(failure(a.Expr.Range(), "Wrong type", "The attribute %q needs %s: %s.", name, typeName(want), err))
		return cty.NilVal, false
	}
	return out, out.IsKnown() && !out.IsNull() // unknown where it is missing
}
