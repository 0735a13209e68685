package lang

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// rootNames are what references in root definition files begin with.
var rootNames = []string{"site", "var", "images", "patch"}

// sound returns the block without the attributes whose references cannot be
// resolved, after reporting them.
func (r *rootFrame) sound(b *block) *block {
	var broken []string
	for name, a := range b.attrs {
		if !r.resolveAttr(r.root.uses.attr(a)) {
			broken = append(broken, name)
		}
	}
	if broken == nil {
		return b
	}
	out := *b
	out.attrs = maps.Clone(b.attrs)
	for _, name := range broken {
		delete(out.attrs, name)
	}
	return &out
}

// resolveAttr checks the references of an attribute, each right one once for the
// site.
func (r *rootFrame) resolveAttr(u *usedAttr) bool {
	ok := true
	for i, n := range u.refs {
		if n.enter(r); n.resolved {
			continue
		}
		n.resolved = r.resolveEach(u.at[i:i+1], nil)
		ok = ok && n.resolved
	}
	return ok
}

// resolveAll checks the references of an expression. extra are names beyond
// those of every root definition file.
func (r *rootFrame) resolveAll(expr hcl.Expression, extra map[string]cty.Value) bool {
	return r.resolveEach(expr.Variables(), extra)
}

func (r *rootFrame) resolveEach(refs []hcl.Traversal, extra map[string]cty.Value) bool {
	ok := true
	for _, t := range refs {
		if _, known := extra[t.RootName()]; known {
			continue
		}
		if d := r.checkReference(t, slices.Collect(maps.Keys(extra))); d != nil {
			r.report(d)
			ok = false
		}
	}
	return ok
}

func (r *rootFrame) checkReference(t hcl.Traversal, extra []string) *hcl.Diagnostic {
	switch root := t.RootName(); root {
	case "site":
		return r.checkSiteReference(t)
	case "patch":
		return checkMember(t, patchNames)
	case "var":
		return r.checkNamed(t, r.root.file.variableNames(), "variable", "Declare it in this file with: variable %q {}. Its value comes from the attribute vars of the site.")
	case "images":
		if name, ok := step(t, 1); ok && r.images[name] != nil && r.ids != nil && r.ids[name] == "" {
			return failure(t.SourceRange(), "Image without id", "No container of site %q uses the image %q, so that the patch does not carry it. Take the reference out, or add a container.", r.site.Name, name)
		}
		return r.checkNamed(t, slices.Collect(maps.Keys(r.images)), "image in the root definition's image sets", "Images go by their names: images[%q].")
	default:
		known := append(slices.Clone(rootNames), extra...)
		return failure(t.SourceRange(), "Unknown reference",
			"Nothing is called %q here.%s", root, didYouMeanOr(root, known, "References begin with %s; a string stands in quotes.", strings.Join(known, ", ")))
	}
}

// checkNamed lets ROOT.NAME pass where the name is known, and ROOT alone.
func (r *rootFrame) checkNamed(t hcl.Traversal, known []string, title, remedy string) *hcl.Diagnostic {
	name, ok := step(t, 1)
	if !ok || slices.Contains(known, name) || title[0] == 'i' && !r.root.whole {
		return nil
	}
	return failure(t.SourceRange(), "Unknown reference", "There is no %s called %q.%s", title, name, didYouMeanOr(name, known, remedy, name))
}

// checkSiteReference lets site.name and site.vars.NAME pass.
func (r *rootFrame) checkSiteReference(t hcl.Traversal) *hcl.Diagnostic {
	if d := checkMember(t, []string{"name", "vars"}); d != nil {
		return d
	}
	name, ok := step(t, 2)
	if first, _ := step(t, 1); first != "vars" || !ok {
		return nil
	}
	if _, ok := r.site.Vars[name]; ok {
		return nil
	}
	return failure(t.SourceRange(), "Unknown reference",
		"The site %q has no variable %q.%s", r.site.Name, name, didYouMeanOr(name, slices.Collect(maps.Keys(r.site.Vars)), "Add it to the attribute vars of the site."))
}

func (r *rootFrame) checkImage(name string, rng hcl.Range) bool {
	if r.images[name] != nil {
		return true
	}
	if !r.root.whole {
		return false
	}
	var sets []string
	for _, s := range r.root.result.ImageSets {
		sets = append(sets, s.Name)
	}
	r.report(failure(rng, "Unknown image",
		"The image sets of root definition %q (%s) hold no image %q.%s", r.root.result.Name, strings.Join(sets, ", "), name, didYouMean(name, slices.Collect(maps.Keys(r.images)))))
	return false
}

// variableNames lists the variables that the file declares.
func (r *rootFile) variableNames() []string {
	var out []string
	for _, b := range r.variables {
		out = append(out, b.name())
	}
	return out
}

// variables gives the file's variables their values: those of the site's vars,
// or the defaults.
func (r *rootFrame) variables(file *rootFile, ctx *hcl.EvalContext) cty.Value {
	values, judged := make(map[string]cty.Value), make(map[string]cty.Value)
	for _, b := range file.variables {
		values[b.name()], judged[b.name()] = r.variableOf(b)
	}
	check := &frame{scope: r.scope, ctx: ctx.NewChild()}
	check.ctx.Variables = map[string]cty.Value{"var": cty.ObjectVal(judged)}
	for _, b := range file.variables {
		for _, c := range b.blocks {
			if !slices.ContainsFunc(c.sortedAttrs(), func(a *hcl.Attribute) bool { return !r.resolveAll(a.Expr, nil) }) {
				check.validate(b.header, &block{blocks: []*block{c}})
			}
		}
	}
	r.report(check.diags...)
	return cty.ObjectVal(values)
}

// variableOf gives a variable's value, and what its validations see of it.
func (r *rootFrame) variableOf(b *block) (value, judged cty.Value) {
	if !r.isFromSite(b) {
		v := r.projectValue(b)
		return v, v
	}
	v := r.siteVariable(b)
	if v == nil {
		return cty.DynamicVal, cty.DynamicVal
	}
	r.declare(v)
	return r.siteValue(v)
}

// projectValue gives the value that the site's vars or the default give.
func (r *rootFrame) projectValue(b *block) cty.Value {
	t := r.variableType(b)
	v, given := r.site.Vars[b.name()]
	origin := fmt.Sprintf("vars of site %q", r.site.Name)
	if d := b.attrs["default"]; !given || v.IsNull() && !t.nullable && d != nil {
		if d == nil {
			r.report(failure(b.header, "No value for variable",
				"The variable %q has no default, and the site %q gives it no value. Add it to the attribute vars of the site.", b.name(), r.site.Name))
			return cty.DynamicVal
		}
		var diags hcl.Diagnostics
		v, diags = d.Expr.Value(nil)
		r.report(diags...)
		if diags.HasErrors() {
			return cty.DynamicVal
		}
		origin = "default"
	}
	out, err := t.convert(v)
	switch {
	case err != nil:
		r.report(failure(b.header, "Invalid value for variable", "The value of variable %q (%s) does not fit its type: %s.", b.name(), origin, convertReason(err)))
		return cty.DynamicVal
	case out.IsNull() && !t.nullable:
		r.report(failure(b.header, "Invalid value for variable", "The variable %q has nullable = false, and null was given (%s).", b.name(), origin))
		return cty.DynamicVal
	}
	return out
}
