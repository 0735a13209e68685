package lang

import (
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// Limits on modules. Each folder stands at most once on the way to a module, but
// links can give a folder many names, and a few folders many modules.
const (
	maxModuleDepth = 32
	maxModules     = 10_000
)

// moduleArguments are the attributes of a module block that are no inputs.
var moduleArguments = []string{"source", "for_each"}

// A moduleDecl is a module block. The module is evaluated as a whole.
type moduleDecl struct {
	block  *block
	folder *folder // nil where it cannot be read
}

// A moduleCall is the module block that a scope is made for.
type moduleCall struct {
	name   string // module.NAME
	addr   string // the same with the key under for_each, and those around it in front
	header hcl.Range
	outer  *scope
}

// address is the module's address, and empty in the root scope.
func (s *scope) address() string {
	if s.call == nil {
		return ""
	}
	return s.call.addr
}

// chain lists the folders from the project to the scope.
func (s *scope) chain() []string {
	if s.call == nil {
		return []string{s.folder.dir}
	}
	return append(s.call.outer.chain(), s.folder.dir)
}

// declareModule makes the node of a module block and reads the module's folder.
func (s *scope) declareModule(b *block) {
	d := &moduleDecl{block: b}
	n := s.add("module."+b.name(), b, d)
	if n == nil {
		return
	}
	dir, rng, diag := s.moduleSource(b)
	if diag != nil {
		s.project.report(diag)
		return
	}
	f, diags := s.project.folder(dir)
	if diags.HasErrors() {
		s.project.report(failure(rng, "Unreadable module", "There is no module in the folder %q: it must hold *.floto.hcl files. Correct the path, or make the module.", dir))
		return
	}
	d.folder = f
}

// moduleSource finds the folder of a module, which must be known before anything
// is evaluated.
func (s *scope) moduleSource(b *block) (string, hcl.Range, *hcl.Diagnostic) {
	const remedy = `Write a folder of the project, such as source = "./modules/line".`
	a := b.attrs["source"]
	if a == nil {
		return "", b.header, failure(b.header, "Missing required argument", `The argument "source" is required. %s`, remedy)
	}
	rng := a.Expr.Range()
	v, diags := a.Expr.Value(nil)
	if diags.HasErrors() || v.IsNull() || v.Type() != cty.String {
		return "", rng, failure(rng, "Invalid module source", "The source of a module is a plain string, because modules are read before anything is evaluated. %s", remedy)
	}
	text := v.AsString()
	if text != "." && !strings.HasPrefix(text, "./") && !strings.HasPrefix(text, "../") {
		return "", rng, failure(rng, "Invalid module source", "The source %q begins neither with ./ nor with ../, and modules come from local folders only. %s", text, remedy)
	}
	p, d := newPath(text, s.folder.dir, true, rng)
	if d != nil {
		return "", rng, d
	}
	if leavesProject(p.Name) {
		return "", rng, failure(rng, "Path outside of the project", "The module %q lies outside of the project folder. Move it into the project.", text)
	}
	return p.Name, rng, s.moduleLimits(p.Name, rng)
}

// moduleLimits refuses modules without end.
func (s *scope) moduleLimits(dir string, rng hcl.Range) *hcl.Diagnostic {
	chain := s.chain()
	if i := slices.Index(chain, dir); i >= 0 {
		return failure(rng, "Module recursion", "The module calls itself: the way is \"%s\". Remove one of the module blocks.", strings.Join(append(chain[i:], dir), "\" -> \""))
	}
	if len(chain) > maxModuleDepth {
		return failure(rng, "Modules nested too deeply", "Modules may stand %d deep within each other.", maxModuleDepth)
	}
	return nil
}

func (d *moduleDecl) evaluate(f *frame) cty.Value {
	all, ok := f.instances(d.block)
	if !ok || d.folder == nil {
		return cty.DynamicVal
	}
	var values []cty.Value
	for _, inst := range all {
		if len(f.scope.scopes) > maxModules {
			f.report(failure(d.block.header, "Too many modules", "The project has more than %d modules, counting each instance.", maxModules))
			return cty.DynamicVal
		}
		g := f.within(inst)
		values = append(values, d.module(g))
		g.close()
	}
	return gather(all, values)
}

// module evaluates one instance and gives its outputs.
func (d *moduleDecl) module(f *frame) cty.Value {
	call := &moduleCall{name: f.node.name, addr: f.node.addr + f.instance.suffix(), header: d.block.header, outer: f.scope}
	var inputs []input
	for _, a := range d.block.sortedAttrs() {
		if slices.Contains(moduleArguments, a.Name) {
			continue
		}
		v, diags := a.Expr.Value(f.ctx)
		f.report(diags...)
		if diags.HasErrors() {
			v = cty.DynamicVal
		}
		inputs = append(inputs, input{name: a.Name, origin: call.addr, kind: fromModule, expr: a.Expr, rng: a.Expr.Range(), known: &v})
	}
	s := newScope(f.scope.project, f.scope.results, d.folder, call)
	s.assign(inputs)
	s.evaluateAll()
	return cty.ObjectVal(s.outputs)
}

// An outputDecl is an output block.
type outputDecl struct{ block *block }

func (d *outputDecl) evaluate(f *frame) cty.Value {
	name := d.block.name()
	f.scope.outputs[name] = cty.DynamicVal
	secret := f.constantFlag(d.block, "sensitive", false)
	f.constantText(d.block, "description")
	a := d.block.attrs["value"]
	if a == nil {
		return cty.DynamicVal
	}
	v, diags := a.Expr.Value(f.ctx)
	f.report(diags...)
	if diags.HasErrors() {
		return cty.DynamicVal
	}
	if secret {
		v = markSensitive(v)
	}
	f.scope.outputs[name] = v
	return v
}

// resolveModule resolves module.NAME and module.NAME.OUTPUT.
func (s *scope) resolveModule(t hcl.Traversal, n *node) (*node, *hcl.Diagnostic) {
	dep, d := s.resolveNamed(t, n, "module", "module", "Declare it with: module %q { … }.")
	if d != nil {
		return nil, d
	}
	m := dep.decl.(*moduleDecl)
	at := 2
	if m.repeats() {
		at = 3
	}
	name, ok := step(t, at)
	if !ok || m.folder == nil {
		return dep, nil
	}
	outputs := m.folder.names("output")
	if slices.Contains(outputs, name) {
		return dep, nil
	}
	return nil, failure(t.SourceRange(), "Unknown reference",
		"The module %q has no output %q.%s", path.Base(m.folder.dir), name, didYouMeanOr(name, outputs, "Declare it in the module with: output %q { value = … }.", name))
}

// names lists the names of the folder's blocks of a kind.
func (f *folder) names(kind string) []string {
	var out []string
	for _, b := range f.blocks {
		if b.kind == kind {
			out = append(out, b.name())
		}
	}
	return out
}
