package lang

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// containers compiles the root definition's containers for a site, as far as
// the images need it.
func (f *frame) containers(s *Site, root *rootDecl) []Container {
	if root.file == nil {
		return nil
	}
	r := &rootFrame{
		frame:  f,
		site:   s,
		root:   root,
		images: root.result.Images(),
		ctx: &hcl.EvalContext{
			Variables: map[string]cty.Value{"site": cty.ObjectVal(map[string]cty.Value{
				"name": cty.StringVal(s.Name),
				"vars": cty.ObjectVal(s.Vars),
			})},
			Functions: f.scope.project.functions(path.Dir(root.file.name)),
		},
	}
	out := make([]Container, 0, len(root.file.containers))
	for _, c := range root.file.containers {
		out = append(out, r.container(c))
	}
	slices.SortFunc(out, func(a, b Container) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// A rootFrame is the evaluation of a root definition file for one site.
type rootFrame struct {
	*frame
	site   *Site
	root   *rootDecl
	images map[string]*Image
	ctx    *hcl.EvalContext
}

func (r *rootFrame) container(c rootContainer) Container {
	out := Container{Name: c.name, Range: c.rng}
	if r.root.file.hosts == nil {
		out.Image = c.literal
		r.checkImage(c.literal, c.literalRng)
		return out
	}
	if v, ok := r.text(c.image); ok {
		out.Image = v
		r.checkImage(v, c.image.Range())
	}
	if v, ok := r.text(c.host); ok {
		out.Host = v
		r.checkHost(v, c.host.Range())
	}
	return out
}

// text evaluates an expression of the root definition file to a string.
func (r *rootFrame) text(expr hcl.Expression) (string, bool) {
	if expr == nil {
		return "", false
	}
	for _, t := range expr.Variables() {
		if d := r.checkReference(t); d != nil {
			r.report(d)
			return "", false
		}
	}
	v, diags := expr.Value(r.ctx)
	r.report(diags...)
	if diags.HasErrors() {
		return "", false
	}
	if isSensitive(v) {
		r.report(at(failure(expr.Range(), "Sensitive value not allowed", "Root definitions are part of the patch and cannot hold a sensitive value."), expr, r.ctx))
		return "", false
	}
	s, err := convert.Convert(v, cty.String)
	if err != nil || s.IsNull() || !s.IsKnown() {
		r.report(at(failure(expr.Range(), "Wrong type", "A name is needed here: a string."), expr, r.ctx))
		return "", false
	}
	return s.AsString(), true
}

// checkReference lets site.name and site.vars.NAME pass.
func (r *rootFrame) checkReference(t hcl.Traversal) *hcl.Diagnostic {
	root := t.RootName()
	if slices.Contains([]string{"var", "images", "patch"}, root) {
		return notAvailable("The reference to "+root+" in a root definition", r.scope.project.opts.ToolVersion, t.SourceRange())
	}
	if root != "site" {
		return failure(t.SourceRange(), "Unknown reference",
			"Root definition files see site.name and site.vars.NAME; there is nothing called %q.%s", root, didYouMean(root, []string{"site"}))
	}
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

func (r *rootFrame) checkImage(name string, rng hcl.Range) {
	if r.images[name] != nil || !r.root.whole {
		return
	}
	var sets []string
	for _, s := range r.root.result.ImageSets {
		sets = append(sets, s.Name)
	}
	r.report(failure(rng, "Unknown image",
		"The image sets of root definition %q (%s) hold no image %q.%s", r.root.result.Name, strings.Join(sets, ", "), name, didYouMean(name, slices.Collect(maps.Keys(r.images)))))
}

func (r *rootFrame) checkHost(name string, rng hcl.Range) {
	hosts := r.root.file.hosts
	if hosts[name] != nil {
		return
	}
	r.report(failure(rng, "Unknown host",
		"The file declares no host %q.%s", name, didYouMeanOr(name, slices.Collect(maps.Keys(hosts)), "Declare it with: host %q { … }.", name)))
}
