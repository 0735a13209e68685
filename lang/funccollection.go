package lang

import (
	"errors"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// anyParam is a parameter of any type.
func anyParam(name string) function.Parameter {
	return function.Parameter{Name: name, Type: cty.DynamicPseudoType}
}

// lengthFunc counts the elements of a collection or the characters of a string.
var lengthFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowDynamicType: true, AllowUnknown: true}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		v := args[0]
		switch t := v.Type(); {
		case t == cty.DynamicPseudoType:
			return cty.UnknownVal(cty.Number), nil
		case t == cty.String:
			return stdlib.Strlen(v)
		case t.IsTupleType():
			return cty.NumberIntVal(int64(t.Length())), nil
		case t.IsObjectType():
			return cty.NumberIntVal(int64(len(t.AttributeTypes()))), nil
		case t.IsCollectionType():
			return v.Length(), nil
		}
		return cty.NilVal, function.NewArgErrorf(0, "a string, a list, a set or a map is needed")
	},
})

// distinctFunc removes repetitions from a list. That of the standard library
// compares all elements with each other.
var distinctFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.List(cty.DynamicPseudoType)}},
	Type:   func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
	Impl: func(args []cty.Value, want cty.Type) (cty.Value, error) {
		if !args[0].IsWhollyKnown() {
			return cty.UnknownVal(want), nil
		}
		seen := make(map[string]bool)
		var out []cty.Value
		for _, e := range args[0].AsValueSlice() {
			key, err := ctyjson.Marshal(e, e.Type())
			if err != nil {
				return cty.NilVal, function.NewArgErrorf(0, "an element cannot be compared: %s", err)
			}
			if !seen[string(key)] {
				seen[string(key)] = true
				out = append(out, e)
			}
		}
		if out == nil {
			return cty.ListValEmpty(want.ElementType()), nil
		}
		return cty.ListVal(out), nil
	},
})

// indexFunc finds the position of a value in a list.
var indexFunc = function.New(&function.Spec{
	Params: []function.Parameter{anyParam("list"), anyParam("value")},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if t := args[0].Type(); !t.IsListType() && !t.IsTupleType() {
			return cty.NilVal, function.NewArgErrorf(0, "a list is needed")
		}
		for i, e := range args[0].AsValueSlice() {
			eq, err := stdlib.Equal(e, args[1])
			if err != nil {
				return cty.NilVal, err
			}
			if !eq.IsKnown() {
				return cty.UnknownVal(cty.Number), nil
			}
			if eq.True() {
				return cty.NumberIntVal(int64(i)), nil
			}
		}
		return cty.NilVal, errors.New("the value is not in the list")
	},
})

// lookupFunc reads an element of a map or object, with an optional default.
var lookupFunc = function.New(&function.Spec{
	Params:   []function.Parameter{anyParam("map"), {Name: "key", Type: cty.String}},
	VarParam: &function.Parameter{Name: "default", Type: cty.DynamicPseudoType, AllowNull: true},
	Type: func(args []cty.Value) (cty.Type, error) {
		v, err := lookup(args)
		return v.Type(), err
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return lookup(args) },
})

func lookup(args []cty.Value) (cty.Value, error) {
	m, key := args[0], args[1]
	t := m.Type()
	switch {
	case len(args) > 3:
		return cty.DynamicVal, errors.New("lookup takes two or three arguments")
	case t != cty.DynamicPseudoType && !t.IsObjectType() && !t.IsMapType():
		return cty.DynamicVal, function.NewArgErrorf(0, "a map is needed")
	case !m.IsWhollyKnown() || !key.IsKnown():
		return cty.DynamicVal, nil
	}
	if v, ok := m.AsValueMap()[key.AsString()]; ok {
		return v, nil
	}
	if len(args) == 3 {
		return args[2], nil
	}
	return cty.DynamicVal, function.NewArgErrorf(1, "the map has no such key, and no default is given")
}

// oneFunc returns the only element of a list or set, or null where it is empty.
var oneFunc = function.New(&function.Spec{
	Params: []function.Parameter{anyParam("list")},
	Type: func(args []cty.Value) (cty.Type, error) {
		v, err := one(args[0])
		return v.Type(), err
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return one(args[0]) },
})

func one(v cty.Value) (cty.Value, error) {
	t := v.Type()
	switch {
	case t == cty.DynamicPseudoType || !v.IsKnown():
		return cty.DynamicVal, nil
	case !t.IsListType() && !t.IsSetType() && !t.IsTupleType():
		return cty.DynamicVal, function.NewArgErrorf(0, "a list, a set or a tuple is needed")
	}
	elems := v.AsValueSlice()
	switch len(elems) {
	case 0:
		return cty.NullVal(cty.DynamicPseudoType), nil
	case 1:
		return elems[0], nil
	}
	return cty.DynamicVal, function.NewArgErrorf(0, "it has more than one element")
}

var (
	alltrueFunc = boolFunc(func(all []bool) bool {
		for _, b := range all {
			if !b {
				return false
			}
		}
		return true
	})
	anytrueFunc = boolFunc(func(all []bool) bool {
		for _, b := range all {
			if b {
				return true
			}
		}
		return false
	})
)

// boolFunc makes a function of a list of booleans; null counts as false.
func boolFunc(decide func([]bool) bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "list", Type: cty.List(cty.Bool)}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			var all []bool
			for _, e := range args[0].AsValueSlice() {
				if !e.IsKnown() {
					return cty.UnknownVal(cty.Bool), nil
				}
				all = append(all, !e.IsNull() && e.True())
			}
			return cty.BoolVal(decide(all)), nil
		},
	})
}

// sumFunc adds the numbers of a list or set.
var sumFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.List(cty.Number)}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		total := cty.Zero
		for _, e := range args[0].AsValueSlice() {
			if e.IsNull() {
				return cty.NilVal, function.NewArgErrorf(0, "an element is null")
			}
			total = total.Add(e)
		}
		return total, nil
	},
})
