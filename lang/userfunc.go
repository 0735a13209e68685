package lang

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// maxCallDepth bounds how deep user functions may call each other.
const maxCallDepth = 64

// A userFunction is a function block. The syntax is that of hcl's ext/userfunc,
// whose functions evaluate their result twice at each level of calls.
type userFunction struct {
	project  *project
	name     string
	params   []string
	variadic string // empty where there is none
	result   hcl.Expression
	calls    map[string]function.Function // what the result can call
}

// userFunctions reads a folder's function blocks.
func (p *project) userFunctions(f *folder) map[string]function.Function {
	out := make(map[string]function.Function)
	first := make(map[string]*block)
	known := p.builtins(f, f.dir)
	calls := maps.Clone(known)
	var sound []*userFunction
	for _, b := range f.blocks {
		if b.kind != "function" {
			continue
		}
		name := b.name()
		switch {
		case !hclsyntax.ValidIdentifier(name):
			p.report(failure(b.header, "Invalid name", "%q is no name for a function: it must begin with a letter and hold letters, digits, - and _ only.", name))
		case first[name] != nil:
			p.report(duplicateBlock(b, first[name]))
		case isBuiltin(known, name):
			p.report(failure(b.header, "Duplicate function", "A function %q is part of the language. Give this one another name.", name))
		default:
			first[name] = b
			out[name] = brokenFunction
			if u := p.userFunction(b, calls); u != nil {
				sound = append(sound, u)
				out[name] = u.function()
			}
		}
	}
	maps.Copy(calls, out)
	for name := range p.checkCalls(sound, calls) {
		out[name], calls[name] = brokenFunction, brokenFunction
	}
	return out
}

// brokenFunction stands for one that has been reported, so that its calls are not.
var brokenFunction = function.New(&function.Spec{
	VarParam: &function.Parameter{Name: "any", Type: cty.DynamicPseudoType, AllowNull: true, AllowUnknown: true, AllowDynamicType: true, AllowMarked: true},
	Type:     function.StaticReturnType(cty.DynamicPseudoType),
	Impl:     func([]cty.Value, cty.Type) (cty.Value, error) { return cty.DynamicVal, nil },
})

func isBuiltin(known map[string]function.Function, name string) bool {
	_, ok := known[name]
	return ok
}

// userFunction reads a function block. It returns nil where something is wrong.
func (p *project) userFunction(b *block, calls map[string]function.Function) *userFunction {
	params, result := b.attrs["params"], b.attrs["result"]
	if params == nil || result == nil {
		return nil // reported when it was read
	}
	u := &userFunction{project: p, name: b.name(), result: result.Expr, calls: calls}
	names, diags := hcl.ExprList(params.Expr)
	if diags.HasErrors() {
		p.report(failure(params.Expr.Range(), "Invalid parameters", "A list of names is needed, without quotes: params = [a, b]."))
		return nil
	}
	if v := b.attrs["variadic_param"]; v != nil {
		names = append(slices.Clone(names), v.Expr)
	}
	for _, e := range names {
		n := hcl.ExprAsKeyword(e)
		if n == "" || slices.Contains(u.params, n) {
			p.report(failure(e.Range(), "Invalid parameters", "A parameter is a name without quotes that stands once: params = [a, b]."))
			return nil
		}
		u.params = append(u.params, n)
	}
	if b.attrs["variadic_param"] != nil {
		u.variadic = u.params[len(u.params)-1]
		u.params = u.params[:len(u.params)-1]
	}
	return u.checked()
}

// checked refuses references to anything but the parameters.
func (u *userFunction) checked() *userFunction {
	ok := true
	known := slices.Clone(u.params)
	if u.variadic != "" {
		known = append(known, u.variadic)
	}
	for _, t := range u.result.Variables() {
		if root := t.RootName(); !slices.Contains(known, root) {
			u.project.report(failure(t.SourceRange(), "Unknown reference",
				"The function %q has no parameter %q, and a function sees its parameters only.%s", u.name, root, didYouMeanOr(root, known, "Hand the value over as a further argument.")))
			ok = false
		}
	}
	if !ok {
		return nil
	}
	return u
}

// function makes the function that expressions call.
func (u *userFunction) function() function.Function {
	spec := &function.Spec{
		Type: function.StaticReturnType(cty.DynamicPseudoType),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return u.call(args) },
	}
	for _, n := range u.params {
		spec.Params = append(spec.Params, function.Parameter{Name: n, Type: cty.DynamicPseudoType, AllowNull: true, AllowDynamicType: true})
	}
	if u.variadic != "" {
		spec.VarParam = &function.Parameter{Name: u.variadic, Type: cty.DynamicPseudoType, AllowNull: true, AllowDynamicType: true}
	}
	return function.New(spec)
}

func (u *userFunction) call(args []cty.Value) (cty.Value, error) {
	p := u.project
	if i := slices.Index(p.calls, u.name); i >= 0 {
		return cty.DynamicVal, fmt.Errorf("the function calls itself: %s, and such calls have no end", strings.Join(append(p.calls[i:len(p.calls):len(p.calls)], u.name), " -> "))
	}
	if len(p.calls) >= maxCallDepth {
		return cty.DynamicVal, fmt.Errorf("functions may call each other %d deep", maxCallDepth)
	}
	p.calls = append(p.calls, u.name)
	defer func() { p.calls = p.calls[:len(p.calls)-1] }()
	vars := make(map[string]cty.Value)
	for i, n := range u.params {
		vars[n] = args[i]
	}
	if u.variadic != "" {
		vars[u.variadic] = cty.TupleVal(args[len(u.params):])
	}
	v, diags := u.result.Value(&hcl.EvalContext{Variables: vars, Functions: u.calls})
	if diags.HasErrors() {
		return cty.DynamicVal, callError(diags)
	}
	return v, nil
}

// callError says why the result of a user function cannot be had.
func callError(diags hcl.Diagnostics) error {
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			return innerError(d)
		}
	}
	return errors.New("it has no result for these arguments")
}

// innerError makes an error of what is wrong within a function or template. It
// becomes a part of a sentence, so that a question stands in brackets.
func innerError(d *hcl.Diagnostic) error {
	explainFunction(d)
	detail := strings.TrimSuffix(d.Detail, ".")
	if reason, guess, ok := strings.Cut(detail, ". Did you mean "); ok && strings.HasSuffix(guess, "?") {
		detail = reason + " (did you mean " + guess + ")"
	}
	return fmt.Errorf("%s: %s: %s", place(subject(d)), d.Summary, detail)
}
