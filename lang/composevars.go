package lang

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// composeSiteKey is the key of a Compose file that declares what only the site
// knows. Compose leaves keys that begin with x- to others.
const composeSiteKey = "x-site-variables"

// composeTypes are the types that Compose's variables can have.
var composeTypes = map[string]cty.Type{"string": cty.String, "number": cty.Number, "bool": cty.Bool}

// composeVariableName is what Compose takes for the name of a variable.
var composeVariableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// composeSite takes the declarations of what only the site knows out of a model,
// and gives their values.
func (r *rootFrame) composeSite(f *composeFile, model map[string]any) map[string]string {
	raw, ok := model[composeSiteKey]
	delete(model, composeSiteKey)
	if !ok || raw == nil {
		return nil
	}
	rng := f.reader.find(composeSiteKey)
	all, ok := raw.(map[string]any)
	if !ok {
		r.report(failure(rng, "Wrong type", "The key %s needs a mapping of the names of variables.", composeSiteKey))
		return nil
	}
	out := make(map[string]string)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		v := r.composeVariable(name, all[name], f.reader.at(rng, f.doc, composeSiteKey, name))
		if v == nil {
			continue
		}
		r.declare(v)
		// Compose files have no unknown values: they are checked with placeholders.
		compiling := r.compiling
		r.compiling = true
		value, _ := r.siteValue(v)
		r.compiling = compiling
		if value, _ = value.Unmark(); value.IsKnown() && !value.IsNull() {
			out[name] = primitiveText(value)
		}
	}
	return out
}

// composeVariable reads one declaration. It returns nil where something is
// wrong.
func (r *rootFrame) composeVariable(name string, raw any, rng hcl.Range) *siteVariable {
	before := len(r.diags)
	d := composeDeclaration{r, name, rng}
	v := &siteVariable{rng: rng}
	v.Name, v.Type, v.Required = name, "string", true
	if !composeVariableName.MatchString(name) {
		d.wrong("Invalid name", "%q cannot be the name of a variable: it must begin with a letter or _, and hold letters, digits and _ only.", name)
	}
	members, ok := raw.(map[string]any)
	if raw != nil && !ok {
		d.wrong("Wrong type", "What says more of the variable %q must be a mapping; nothing at all will do.", name)
	}
	for _, key := range slices.Sorted(maps.Keys(members)) {
		switch e := members[key]; key {
		case "type":
			v.Type, _ = e.(string)
		case "description":
			v.Description = d.text(key, e)
		case "sensitive":
			v.Sensitive = d.flag(key, e)
		case "default", "placeholder":
		default:
			d.wrong("Unknown key", "The declaration of the variable %q has no %q.%s", name, key, didYouMeanOr(key, composeKeys, "It has: %s.", strings.Join(composeKeys, ", ")))
		}
	}
	v.kind = variableType{constraint: composeTypes[v.Type], literal: true}
	if _, ok := composeTypes[v.Type]; !ok {
		d.wrong("Wrong type", "The type of the variable %q must be string, number or bool.", name)
		return nil
	}
	v.preset, v.placeholder = d.value("default", members, v.kind), d.value("placeholder", members, v.kind)
	v.Required = v.preset == cty.NilVal
	switch {
	case v.Sensitive && !v.Required:
		d.wrong("Default of a sensitive variable", "The default of variable %q stands in a file that travels in conf of every patch. Remove it, and set the value at the site.", name)
	case v.placeholder != cty.NilVal && !v.Required:
		d.wrong("Placeholder without use", "A placeholder stands for the value where there is no default, and the variable %q has one. Remove either of them.", name)
	case v.placeholder == cty.NilVal:
		v.placeholder = placeholderOf(v.kind.constraint, name)
	}
	if len(r.diags) > before {
		return nil
	}
	return v
}

// composeKeys are the keys of a declaration.
var composeKeys = []string{"type", "description", "sensitive", "default", "placeholder"}

// A composeDeclaration reports what is wrong with one.
type composeDeclaration struct {
	frame *rootFrame
	name  string
	rng   hcl.Range
}

func (d composeDeclaration) wrong(summary, detail string, args ...any) {
	d.frame.report(failure(d.rng, summary, detail, args...))
}

func (d composeDeclaration) text(key string, v any) string {
	s, ok := v.(string)
	if !ok && v != nil {
		d.wrong("Wrong type", "The %s of the variable %q must be a text.", key, d.name)
	}
	return s
}

func (d composeDeclaration) flag(key string, v any) bool {
	b, ok := v.(bool)
	if !ok {
		d.wrong("Wrong type", "The key %s of the variable %q must be true or false.", key, d.name)
	}
	return b || !ok
}

// value reads a scalar of the variable's type.
func (d composeDeclaration) value(key string, members map[string]any, t variableType) cty.Value {
	raw, ok := members[key]
	if !ok {
		return cty.NilVal
	}
	v, ok := scalarValue(raw)
	if ok {
		out, err := t.convert(v)
		if err == nil {
			return out
		}
	}
	d.wrong("Invalid value for variable", "The %s of variable %q does not fit its type %s.", key, d.name, t.constraint.FriendlyName())
	return cty.NilVal
}

func scalarValue(v any) (cty.Value, bool) {
	switch v := v.(type) {
	case string:
		return cty.StringVal(v), true
	case bool:
		return cty.BoolVal(v), true
	case int:
		return cty.NumberIntVal(int64(v)), true
	case int64:
		return cty.NumberIntVal(v), true
	case uint64:
		return cty.NumberUIntVal(v), true
	case float64:
		if v-v == 0 { // neither infinite nor no number
			return cty.NumberFloatVal(v), true
		}
	}
	return cty.NilVal, false
}

// composeReference finds the variables in a text, and escaped dollars, which are
// none.
var composeReference = regexp.MustCompile(`\$\$|\$\{?([A-Za-z_][A-Za-z0-9_]*)`)

// checkComposeNames refuses names that depend on what only the site knows.
func (r *rootFrame) checkComposeNames(f *composeFile, model map[string]any) {
	check := func(key, text string, rng hcl.Range) {
		for _, m := range composeReference.FindAllStringSubmatch(text, -1) {
			if slices.ContainsFunc(r.siteVars, func(v *siteVariable) bool { return v.Name == m[1] }) {
				r.report(failure(rng, "Value not known", "The key %q decides what the patch needs and how containers are found again, and cannot depend on %s, which only the site knows.", key, m[1]))
			}
		}
	}
	for _, s := range f.services {
		check("image", s.image, s.imageRng)
	}
	if name, ok := model["name"].(string); ok {
		check("name", name, f.reader.at(fileRange(f.reader.name), f.doc, "name"))
	}
}

// composeHint says in an error of a file with placeholders that these may be the
// reason.
func (r *rootFrame) composeHint() string {
	var names []string
	for _, v := range r.siteVars {
		if v.Required {
			names = append(names, v.Name)
		}
	}
	if r.local != nil || names == nil {
		return ""
	}
	return "\n\nPlaceholders stand for " + strings.Join(names, ", ") + ", known at the site only. Where one does not fit, give the variable another type, a default or a placeholder in " + composeSiteKey + "."
}
