package lang

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

const (
	variablePrefix = "FLOTOBUILD_VAR_"
	variablesFile  = "flotobuild.hclvars"
	autoSuffix     = ".auto.hclvars"
)

// An input is one value given for a variable from outside of its block.
type input struct {
	name   string
	origin string // as Variable.Origin
	kind   inputKind

	text  string         // from the environment or -var
	expr  hcl.Expression // from a file or a module block, or the default
	rng   hcl.Range      // of expr
	known *cty.Value     // what expr has given in the scope of the module block
}

type inputKind int

const (
	fromEnvironment inputKind = iota + 1
	fromFile
	fromOption
	fromModule
)

// title names the input in a sentence.
func (in input) title() string {
	if in.kind == fromFile || in.kind == fromModule {
		return "from " + in.origin
	}
	return in.origin
}

// place is where the value stands; declared is where its variable does.
func (in input) place(declared hcl.Range) hcl.Range {
	if in.expr != nil {
		return in.rng
	}
	return declared
}

// value evaluates the input. Text is an expression unless literal is set.
func (in input) value(literal bool, m *meter) (cty.Value, hcl.Diagnostics) {
	switch {
	case in.known != nil:
		return *in.known, nil
	case in.expr != nil:
		return in.expr.Value(nil)
	}
	if literal {
		return cty.StringVal(in.text), nil
	}
	if d := checkNesting(in.origin, []byte(in.text)); d != nil {
		return cty.DynamicVal, hcl.Diagnostics{d}
	}
	expr, diags := hclsyntax.ParseExpression([]byte(in.text), in.origin, hcl.InitialPos)
	if diags.HasErrors() {
		return cty.DynamicVal, diags
	}
	return m.native(expr).Value(nil)
}

// readInputs collects the values for variables; a later one wins.
func (p *project) readInputs() []input {
	out := p.environmentInputs()
	for _, name := range p.variableFiles() {
		src, err := readLimited(p.fsys, name, MaxSourceSize)
		if err != nil {
			p.report(fileError(name, err, fileRange(name)))
			continue
		}
		out = append(out, p.fileInputs(name, src)...)
	}
	for _, v := range p.opts.Vars {
		if v.Assignment == "" {
			out = append(out, p.fileInputs(v.File, v.Bytes)...)
			continue
		}
		out = append(out, p.optionInputs(v.Assignment)...)
	}
	return out
}

func (p *project) environmentInputs() []input {
	values := make(map[string]string)
	for _, e := range p.opts.Environ {
		k, v, _ := strings.Cut(e, "=")
		if name, ok := strings.CutPrefix(k, variablePrefix); ok {
			values[name] = v
		}
	}
	var out []input
	for _, name := range slices.Sorted(maps.Keys(values)) {
		out = append(out, input{name: name, kind: fromEnvironment, origin: variablePrefix + name, text: values[name]})
	}
	return out
}

// variableFiles lists the files that are read without being asked for, in the
// order in which they are applied.
func (p *project) variableFiles() []string {
	entries, err := fs.ReadDir(p.fsys, ".")
	if err != nil {
		return nil // reported by readConfiguration
	}
	var first, auto []string
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), ".json")
		switch {
		case e.IsDir() || strings.HasPrefix(name, "."):
		case name == variablesFile:
			first = append(first, e.Name())
		case strings.HasSuffix(name, autoSuffix):
			auto = append(auto, e.Name())
		}
	}
	return append(first, auto...)
}

func (p *project) fileInputs(name string, src []byte) []input {
	if len(src) > MaxSourceSize {
		p.report(fileError(name, fmt.Errorf("the file is larger than %d bytes", MaxSourceSize), fileRange(name)))
		return nil
	}
	f := p.parseSource(name, src)
	if f == nil {
		return nil
	}
	attrs, diags := f.Body.JustAttributes()
	p.report(diags...)
	var out []input
	for _, a := range sortAttributes(attrs) {
		out = append(out, input{name: a.Name, kind: fromFile, origin: name, expr: a.Expr, rng: a.Expr.Range()})
	}
	return out
}

func (p *project) optionInputs(assignment string) []input {
	name, text, ok := strings.Cut(assignment, "=")
	name = strings.TrimSpace(name)
	if !ok || !hclsyntax.ValidIdentifier(name) {
		p.report(failure(hcl.Range{Filename: "-var"}, "Invalid -var option", "Write -var 'NAME=VALUE' with the name of a variable."))
		return nil
	}
	return []input{{name: name, kind: fromOption, origin: "-var", text: text}}
}

// assign hands the inputs to the variables, and reports those that no variable
// is declared for. The environment may hold any.
func (s *scope) assign(inputs []input) {
	for _, in := range inputs {
		if s.nodes["var."+in.name] != nil {
			s.inputs[in.name] = append(s.inputs[in.name], in)
			continue
		}
		hint := didYouMean(in.name, s.names("var."))
		switch in.kind {
		case fromFile:
			d := failure(in.rng, "Undeclared variable", "No variable %q is declared.%s The value is not used.", in.name, hint)
			d.Severity = hcl.DiagWarning
			s.project.report(d)
		case fromModule:
			s.project.report(failure(in.rng, "Undeclared variable",
				"The module %q declares no variable %q.%s", s.folder.dir, in.name, didYouMeanOr(in.name, s.names("var."), "Remove this, or declare it in the module with: variable %q {}.", in.name)))
		case fromOption:
			s.project.report(failure(hcl.Range{Filename: "-var"}, "Undeclared variable",
				"No variable %q is declared.%s Declare it with: variable %q {}.", in.name, hint, in.name))
		}
	}
}
