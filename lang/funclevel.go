package lang

import (
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
)

// Making a list of a tuple, such as the brackets and the for expressions of the
// language give, compares the types of all elements with each other: 50,000
// strings take half a minute. Functions of lists therefore get lists where all
// elements have one type, for which nothing needs to be compared.

// converters take any value, and make collections of it.
var converters = map[string]bool{"setproduct": true, "tolist": true, "tomap": true, "toset": true}

// leveled puts the conversion before the functions that need one.
func leveled(funcs map[string]function.Function) map[string]function.Function {
	for name, f := range funcs {
		if converters[name] || takesAnyCollection(f) {
			funcs[name] = level(f)
		}
	}
	return funcs
}

func takesAnyCollection(f function.Function) bool {
	if v := f.VarParam(); v != nil && isAnyCollection(v.Type) {
		return true
	}
	for _, p := range f.Params() {
		if isAnyCollection(p.Type) {
			return true
		}
	}
	return false
}

func isAnyCollection(t cty.Type) bool {
	return t.IsCollectionType() && t.ElementType() == cty.DynamicPseudoType
}

// level makes a function of f that converts its arguments itself.
func level(f function.Function) function.Function {
	spec := &function.Spec{
		Type: func(args []cty.Value) (cty.Type, error) {
			args, err := levelAll(f, args)
			if err != nil {
				return cty.DynamicPseudoType, err
			}
			return f.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			args, err := levelAll(f, args)
			if err != nil {
				return cty.DynamicVal, err
			}
			return f.Call(args)
		},
	}
	for _, p := range f.Params() {
		spec.Params = append(spec.Params, acceptsAny(p))
	}
	if v := f.VarParam(); v != nil {
		p := acceptsAny(*v)
		spec.VarParam = &p
	}
	return function.New(spec)
}

// acceptsAny leaves the conversion of collections to level.
func acceptsAny(p function.Parameter) function.Parameter {
	if isAnyCollection(p.Type) {
		p.Type = cty.DynamicPseudoType
	}
	return p
}

func levelAll(f function.Function, args []cty.Value) ([]cty.Value, error) {
	params := f.Params()
	out := make([]cty.Value, len(args))
	for i, a := range args {
		want := cty.DynamicPseudoType
		if i < len(params) {
			want = params[i].Type
		} else if v := f.VarParam(); v != nil {
			want = v.Type
		}
		var err error
		if out[i], err = convert.Convert(levelValue(a), want); err != nil {
			return nil, function.NewArgError(i, err)
		}
	}
	return out, nil
}

// levelValue makes a list of a tuple, and a map of an object, where all elements
// have the same type.
func levelValue(v cty.Value) cty.Value {
	t := v.Type()
	switch {
	case v.IsMarked() || !v.IsKnown() || v.IsNull():
	case t.IsTupleType() && t.Length() > 1:
		types := t.TupleElementTypes()
		for _, e := range types {
			if !e.IsPrimitiveType() && !e.Equals(types[0]) || e.IsPrimitiveType() && e != types[0] || e == cty.DynamicPseudoType {
				return v
			}
		}
		return cty.ListVal(v.AsValueSlice())
	case t.IsObjectType() && len(t.AttributeTypes()) > 1:
		var first cty.Type
		for _, e := range t.AttributeTypes() {
			if first == cty.NilType {
				first = e
			}
			if e == cty.DynamicPseudoType || !e.Equals(first) {
				return v
			}
		}
		return cty.MapVal(v.AsValueMap())
	}
	return v
}
