package lang

import (
	"errors"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// bind makes the names that the node's expressions see: exactly those that it
// refers to. What could not be resolved is unknown, so that nothing is reported
// twice.
func (f *frame) bind(edges []edge) {
	names := map[string]map[string]cty.Value{"path": f.scope.folder.paths()}
	for _, e := range edges {
		bindNode(names, e.to)
	}
	if g := f.scope.project.git; g != nil {
		names["git"] = g.names
	}
	for _, t := range f.broken {
		root := t.RootName()
		if name, ok := step(t, 1); ok {
			put(names, root, name, cty.DynamicVal)
		}
	}
	vars := make(map[string]cty.Value)
	for root, members := range names {
		vars[root] = cty.ObjectVal(members)
	}
	for _, t := range f.broken {
		if len(t) == 1 {
			vars[t.RootName()] = cty.DynamicVal
		}
	}
	f.ctx = &hcl.EvalContext{Variables: vars, Functions: f.scope.project.functions(f.scope.folder, f.scope.folder.dir)}
}

func put(names map[string]map[string]cty.Value, root, name string, v cty.Value) {
	if names[root] == nil {
		names[root] = make(map[string]cty.Value)
	}
	names[root][name] = v
}

// bindNode puts a node's value where references look for it. An image stands
// within its set, unless the whole set is there already.
func bindNode(names map[string]map[string]cty.Value, n *node) {
	root, name, _ := strings.Cut(n.name, ".")
	set, image, ok := strings.Cut(name, ".image.")
	if root != "image_set" || !ok {
		put(names, root, name, n.value)
		return
	}
	images := make(map[string]cty.Value)
	if v, ok := names[root][set]; ok {
		if !v.Type().IsObjectType() || v.Type().HasAttribute("address") {
			return
		}
		images = v.GetAttr("image").AsValueMap()
	}
	images[image] = n.value
	put(names, root, set, cty.ObjectVal(map[string]cty.Value{"image": cty.ObjectVal(images)}))
}

// gitState is the result of asking for the git state.
type gitState struct {
	names map[string]cty.Value
	err   error
}

// loadGit asks for the git state once. An error is reported at every reference.
func (p *project) loadGit(rng hcl.Range) *hcl.Diagnostic {
	if p.git == nil {
		p.git = p.askGit()
	}
	if p.git.err == nil {
		return nil
	}
	return failure(rng, "Cannot read the git state",
		"The reference needs the project's git work tree: %s. Put the project under git, or write the value into a variable.", p.git.err)
}

func (p *project) askGit() *gitState {
	unknown := make(map[string]cty.Value)
	for _, n := range gitNames {
		unknown[n] = cty.DynamicVal
	}
	if p.opts.Git == nil {
		return &gitState{names: unknown, err: errors.New("the project folder is not under git")}
	}
	g, err := p.opts.Git()
	if err != nil {
		return &gitState{names: unknown, err: err}
	}
	return &gitState{names: map[string]cty.Value{
		"describe":  cty.StringVal(g.Describe),
		"commit":    cty.StringVal(g.Commit),
		"timestamp": cty.StringVal(g.Timestamp),
		"dirty":     cty.BoolVal(g.Dirty),
	}}
}
