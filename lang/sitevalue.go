package lang

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// NoValue is the summary of diagnostics about variables without a value.
const NoValue = "No value for variable"

// siteValues are the texts that a site gives to variables, by name; nil where
// the patch is made.
type siteValues map[string]string

// declare notes a variable that only the site knows for the manifest.
func (r *rootFrame) declare(v *siteVariable) {
	r.siteVars = append(r.siteVars, v)
	r.out.FormatVersion = ManifestVersion
	r.out.SiteVariables = append(r.out.SiteVariables, v.ManifestVariable)
	slices.SortFunc(r.out.SiteVariables, func(a, b ManifestVariable) int { return strings.Compare(a.Name, b.Name) })
	if _, given := r.site.Vars[v.Name]; given {
		r.report(failure(v.rng, "Two values for a variable",
			"The variable %q is known at the site only, and the attribute vars of site %q has an element of this name. Rename one of them, or remove the element.", v.Name, r.site.Name))
	}
}

// siteValue gives the value of a variable that only the site knows, and what of
// it the variable's validations may judge: a placeholder is nobody's value. Both
// are unknown while the configuration is loaded, so that what depends on them is
// found; only a default is judged then.
func (r *rootFrame) siteValue(v *siteVariable) (value, judged cty.Value) {
	unknown := cty.UnknownVal(v.kind.constraint.WithoutOptionalAttributesDeep())
	if !v.kind.nullable {
		unknown = unknown.RefineNotNull()
	}
	text, given := r.local[v.Name]
	switch {
	case given:
		value = r.givenValue(v, text, unknown)
		judged = value
	case v.preset != cty.NilVal:
		value, judged = v.preset, v.preset
	case r.local != nil:
		r.report(failure(v.rng, NoValue, "The variable %q has no default, and the site gives it no value.", v.Name))
		value, judged = unknown, unknown
	default:
		value, judged = v.placeholder, unknown
	}
	if !r.compiling {
		value = unknown
	}
	if v.Sensitive {
		value, judged = value.Mark(secret{}), judged.Mark(secret{})
	}
	return value, judged
}

// givenValue reads the text that a site gives a variable. The reason why it
// cannot be read is withheld where it may quote a secret.
func (r *rootFrame) givenValue(v *siteVariable, text string, unknown cty.Value) cty.Value {
	out, reason := v.kind.read(v.Name, text, r.scope.project.meter)
	if reason == "" {
		return out
	}
	if v.Sensitive {
		reason = "the reason is not shown, because the value is sensitive"
	}
	r.report(failure(v.rng, "Invalid value for variable", "The site's value of variable %q does not fit its type %s: %s.", v.Name, v.Type, reason))
	return unknown
}

// read makes a value of a text: as it is for strings, numbers and booleans, and
// as an expression for all else. The reason says what is wrong with it.
func (t variableType) read(name, text string, m *meter) (_ cty.Value, reason string) {
	raw, diags := input{origin: name, text: text}.value(t.literal, m)
	if diags.HasErrors() {
		return cty.NilVal, strings.TrimSuffix(diags[0].Summary+": "+diags[0].Detail, ".")
	}
	if !raw.IsWhollyKnown() {
		return cty.NilVal, "it is too large"
	}
	out, err := t.convert(raw)
	switch {
	case err != nil:
		return cty.NilVal, convertReason(err)
	case out.IsNull() && !t.nullable:
		return cty.NilVal, "it is null"
	}
	return out, ""
}

// aboutPlaceholders says in the errors of expressions that a placeholder went
// into what the user can do about it. More than that is not known of the value,
// so that an error may be none at the site.
func (r *rootFrame) aboutPlaceholders() {
	if r.local != nil || !r.compiling {
		return
	}
	for _, d := range r.diags {
		if d.Severity != hcl.DiagError || d.Expression == nil {
			continue
		}
		for _, t := range d.Expression.Variables() {
			if v := r.siteVariableOf(t); v != nil && v.Required {
				d.Detail += "\n\nThe variable " + v.Name + " is known at the site only, and a placeholder stands for its value where the patch is made. " +
					"Give it a default, or a placeholder that this can be computed with."
				break
			}
		}
	}
}

// siteVariableOf gives the variable that a reference names, if only the site
// knows it.
func (r *rootFrame) siteVariableOf(t hcl.Traversal) *siteVariable {
	name, _ := step(t, 1)
	i := slices.IndexFunc(r.siteVars, func(v *siteVariable) bool { return t.RootName() == "var" && v.Name == name })
	if i < 0 {
		return nil
	}
	return r.siteVars[i]
}
