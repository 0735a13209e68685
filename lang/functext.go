package lang

import (
	"path"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// textParams are parameters of type string.
func textParams(names ...string) []function.Parameter {
	var out []function.Parameter
	for _, n := range names {
		out = append(out, function.Parameter{Name: n, Type: cty.String})
	}
	return out
}

// textFunc makes a function of one string.
func textFunc(name string, apply func(string) string) function.Function {
	return function.New(&function.Spec{
		Params: textParams(name),
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.StringVal(apply(args[0].AsString())), nil
		},
	})
}

// testFunc makes a predicate of two strings.
func testFunc(second string, test func(s, t string) bool) function.Function {
	return function.New(&function.Spec{
		Params: textParams("str", second),
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(test(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

var (
	basenameFunc    = textFunc("path", path.Base)
	dirnameFunc     = textFunc("path", path.Dir)
	endswithFunc    = testFunc("suffix", strings.HasSuffix)
	startswithFunc  = testFunc("prefix", strings.HasPrefix)
	strcontainsFunc = testFunc("substr", strings.Contains)
)

// replaceFunc replaces a substring, or what a regular expression between slashes
// matches.
var replaceFunc = function.New(&function.Spec{
	Params: textParams("str", "substr", "replace"),
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		sub := args[1].AsString()
		if len(sub) > 1 && strings.HasPrefix(sub, "/") && strings.HasSuffix(sub, "/") {
			return stdlib.RegexReplace(args[0], cty.StringVal(sub[1:len(sub)-1]), args[2])
		}
		return stdlib.Replace(args[0], args[1], args[2])
	},
})

var sensitiveFunc = function.New(&function.Spec{
	Params: []function.Parameter{{
		Name: "value", Type: cty.DynamicPseudoType,
		AllowDynamicType: true, AllowMarked: true, AllowNull: true, AllowUnknown: true,
	}},
	Type: func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return markSensitive(args[0]), nil },
})

var nonsensitiveFunc = function.New(&function.Spec{
	Params: []function.Parameter{{
		Name: "value", Type: cty.DynamicPseudoType,
		AllowDynamicType: true, AllowMarked: true, AllowNull: true, AllowUnknown: true,
	}},
	Type: func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		v, _ := args[0].UnmarkDeep()
		return v, nil
	},
})
