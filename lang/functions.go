package lang

import (
	"maps"

	yaml "github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// functions returns what expressions of a file in the folder dir can call: the
// functions of the language, and those that f's configuration declares. A root
// definition file or a template may stand in another folder than the
// configuration that names it.
func (p *project) functions(f *folder, dir string) map[string]function.Function {
	out := f.calls[dir]
	if out == nil {
		out = maps.Clone(p.builtins(f, dir))
		maps.Copy(out, f.funcs)
		if f.calls == nil {
			f.calls = make(map[string]map[string]function.Function)
		}
		f.calls[dir] = out
	}
	return out
}

// builtins returns the functions of the language. They have neither a clock nor
// a network; files are read through the project's file system, by paths relative
// to dir.
func (p *project) builtins(f *folder, dir string) map[string]function.Function {
	out := pureFunctions()
	maps.Copy(out, fileFunctions{project: p, folder: f, dir: dir}.all())
	return out
}

// pureFunctions are the functions that depend on their arguments alone, with
// bounds on what they cost.
func pureFunctions() map[string]function.Function { return guarded(leveled(bareFunctions())) }

// bareFunctions are the same as the libraries have them, under the names that
// Terraform gives them.
func bareFunctions() map[string]function.Function {
	out := map[string]function.Function{
		"can":          canFunc,
		"try":          tryFunc,
		"jsondecode":   stdlib.JSONDecodeFunc,
		"jsonencode":   stdlib.JSONEncodeFunc,
		"csvdecode":    stdlib.CSVDecodeFunc,
		"yamldecode":   yaml.YAMLDecodeFunc,
		"yamlencode":   yaml.YAMLEncodeFunc,
		"nonsensitive": nonsensitiveFunc,
		"semver":       semverFunc,
		"semver_match": semverMatchFunc,
		"sensitive":    sensitiveFunc,
		"uuidv5":       uuidv5Func,
	}
	maps.Copy(out, numberFunctions())
	maps.Copy(out, textFunctions())
	maps.Copy(out, collectionFunctions())
	maps.Copy(out, digestFunctions())
	return out
}

func numberFunctions() map[string]function.Function {
	return map[string]function.Function{
		"abs":      stdlib.AbsoluteFunc,
		"ceil":     stdlib.CeilFunc,
		"floor":    stdlib.FloorFunc,
		"log":      stdlib.LogFunc,
		"max":      stdlib.MaxFunc,
		"min":      stdlib.MinFunc,
		"parseint": stdlib.ParseIntFunc,
		"pow":      stdlib.PowFunc,
		"signum":   stdlib.SignumFunc,
		"sum":      sumFunc,
		"tonumber": stdlib.MakeToFunc(cty.Number),
	}
}

func textFunctions() map[string]function.Function {
	return map[string]function.Function{
		"basename":    basenameFunc,
		"chomp":       stdlib.ChompFunc,
		"dirname":     dirnameFunc,
		"endswith":    endswithFunc,
		"format":      stdlib.FormatFunc,
		"formatdate":  stdlib.FormatDateFunc,
		"formatlist":  stdlib.FormatListFunc,
		"indent":      stdlib.IndentFunc,
		"join":        stdlib.JoinFunc,
		"lower":       stdlib.LowerFunc,
		"regex":       stdlib.RegexFunc,
		"regexall":    stdlib.RegexAllFunc,
		"replace":     replaceFunc,
		"split":       stdlib.SplitFunc,
		"startswith":  startswithFunc,
		"strcontains": strcontainsFunc,
		"strrev":      stdlib.ReverseFunc,
		"substr":      stdlib.SubstrFunc,
		"timeadd":     stdlib.TimeAddFunc,
		"title":       stdlib.TitleFunc,
		"tobool":      stdlib.MakeToFunc(cty.Bool),
		"tostring":    stdlib.MakeToFunc(cty.String),
		"trim":        stdlib.TrimFunc,
		"trimprefix":  stdlib.TrimPrefixFunc,
		"trimspace":   stdlib.TrimSpaceFunc,
		"trimsuffix":  stdlib.TrimSuffixFunc,
		"upper":       stdlib.UpperFunc,
	}
}

func collectionFunctions() map[string]function.Function {
	return map[string]function.Function{
		"alltrue":         alltrueFunc,
		"anytrue":         anytrueFunc,
		"chunklist":       stdlib.ChunklistFunc,
		"coalesce":        stdlib.CoalesceFunc,
		"coalescelist":    stdlib.CoalesceListFunc,
		"compact":         stdlib.CompactFunc,
		"concat":          stdlib.ConcatFunc,
		"contains":        stdlib.ContainsFunc,
		"distinct":        distinctFunc,
		"element":         stdlib.ElementFunc,
		"flatten":         stdlib.FlattenFunc,
		"index":           indexFunc,
		"keys":            stdlib.KeysFunc,
		"length":          lengthFunc,
		"lookup":          lookupFunc,
		"merge":           stdlib.MergeFunc,
		"one":             oneFunc,
		"range":           stdlib.RangeFunc,
		"reverse":         stdlib.ReverseListFunc,
		"setintersection": stdlib.SetIntersectionFunc,
		"setproduct":      stdlib.SetProductFunc,
		"setsubtract":     stdlib.SetSubtractFunc,
		"setunion":        stdlib.SetUnionFunc,
		"slice":           stdlib.SliceFunc,
		"sort":            stdlib.SortFunc,
		"tolist":          stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)),
		"tomap":           stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)),
		"toset":           stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)),
		"values":          stdlib.ValuesFunc,
		"zipmap":          stdlib.ZipmapFunc,
	}
}
