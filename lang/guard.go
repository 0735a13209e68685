package lang

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"gopkg.in/yaml.v3"
)

// Limits of what one call of a function makes or does.
const (
	maxMade      = 16 << 20  // bytes of text that a call makes from little
	maxElements  = 1_000_000 // elements that a call makes
	maxDataDepth = 500       // nesting of decoded data
)

var errTooMuch = errors.New("the result would be too large")

// guards look at the arguments of functions that can make much from little,
// before these set to work.
var guards = map[string]func(args []cty.Value) error{
	"coalesce":   guardArguments,
	"format":     guardFormat,
	"formatlist": guardFormat,
	"indent":     guardIndent,
	"join":       guardJoin,
	"jsondecode": guardJSON,
	"parseint":   guardDigits,
	"regexall":   guardGroups,
	"replace":    guardReplace,
	"setproduct": guardProduct,
	"yamldecode": guardYAML,
}

// guarded puts the guards before the functions.
func guarded(funcs map[string]function.Function) map[string]function.Function {
	for name, check := range guards {
		if f, ok := funcs[name]; ok {
			funcs[name] = guard(f, check)
		}
	}
	return funcs
}

func guard(f function.Function, check func([]cty.Value) error) function.Function {
	return function.New(&function.Spec{
		Params:   f.Params(),
		VarParam: f.VarParam(),
		Type: func(args []cty.Value) (cty.Type, error) {
			plain := make([]cty.Value, len(args))
			for i, a := range args {
				plain[i], _ = a.UnmarkDeep()
				if !plain[i].IsWhollyKnown() || plain[i].IsNull() {
					return f.ReturnTypeForValues(args)
				}
			}
			if err := check(plain); err != nil {
				return cty.DynamicPseudoType, err
			}
			return f.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return f.Call(args) },
	})
}

// maxArguments is the number of arguments of a call that makes all of them one
// type.
const maxArguments = 1000

// guardArguments bounds a call whose arguments are all made one type.
func guardArguments(args []cty.Value) error {
	if len(args) > maxArguments {
		return fmt.Errorf("a call may have %d arguments", maxArguments)
	}
	return nil
}

var formatWidth = regexp.MustCompile(`%[^%a-zA-Z]*?(\d+)(?:\.(\d+))?[^%a-zA-Z]*`)

// guardFormat adds up the widths and precisions in a format.
func guardFormat(args []cty.Value) error {
	if args[0].Type() != cty.String {
		return nil
	}
	sum := 0
	for _, m := range formatWidth.FindAllStringSubmatch(args[0].AsString(), -1) {
		for _, digits := range m[1:] {
			if digits == "" {
				continue
			}
			n, err := strconv.Atoi(digits)
			if sum += n; err != nil || n > maxMade || sum > maxMade {
				return errTooMuch
			}
		}
	}
	return nil
}

func guardIndent(args []cty.Value) error {
	width, _ := args[0].AsBigFloat().Float64()
	lines := strings.Count(args[1].AsString(), "\n")
	if width*float64(lines+1) > maxMade {
		return errTooMuch
	}
	return nil
}

func guardJoin(args []cty.Value) error {
	n := 0
	for _, l := range args[1:] {
		if l.CanIterateElements() {
			n += l.LengthInt()
		}
	}
	if len(args[0].AsString())*n > 4*maxMade {
		return errTooMuch
	}
	return nil
}

func guardReplace(args []cty.Value) error {
	text, sub, by := args[0].AsString(), args[1].AsString(), args[2].AsString()
	n := strings.Count(text, sub)
	if len(sub) > 1 && strings.HasPrefix(sub, "/") && strings.HasSuffix(sub, "/") {
		n = len(text)
		// A replacement can name groups, each of which is part of the text.
		if strings.Contains(by, "$") && len(by)*len(text) > 4*maxMade {
			return errTooMuch
		}
	}
	if n*len(by) > 4*maxMade {
		return errTooMuch
	}
	return nil
}

// guardGroups bounds the texts that matches of a pattern with groups give.
func guardGroups(args []cty.Value) error {
	groups := strings.Count(args[0].AsString(), "(") + 1
	if groups*len(args[1].AsString()) > 4*maxMade {
		return errTooMuch
	}
	return nil
}

func guardDigits(args []cty.Value) error {
	if args[0].Type() == cty.String && len(args[0].AsString()) > maxDigits {
		return fmt.Errorf("the number has more than %d digits", maxDigits)
	}
	return nil
}

func guardProduct(args []cty.Value) error {
	n := 1
	for _, s := range args {
		if !s.CanIterateElements() {
			return nil
		}
		if n *= s.LengthInt(); n*len(args) > maxElements {
			return fmt.Errorf("the product has more than %d elements", maxElements)
		}
	}
	return nil
}

func guardJSON(args []cty.Value) error {
	depth := 0
	src := []byte(args[0].AsString())
	for i := 0; i < len(src); i++ {
		switch src[i] {
		case '"':
			i = stringEnd(src, i) - 1
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		if depth > maxDataDepth {
			return fmt.Errorf("the text is nested more than %d deep", maxDataDepth)
		}
	}
	return nil
}

// guardYAML refuses documents that aliases blow up, and deep ones.
func guardYAML(args []cty.Value) error {
	text := args[0].AsString()
	if slices.Max(append(flowDepths(text), 0)) > maxDataDepth {
		return fmt.Errorf("the text is nested more than %d deep", maxDataDepth)
	}
	if !strings.Contains(text, "*") || !strings.Contains(text, "&") {
		return nil
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return nil // the function reports it better
	}
	if left := countNodes(&doc, maxElements/10, 0); left < 0 {
		return errors.New("aliases make the document too large")
	}
	return nil
}

// flowDepths gives the greatest nesting of brackets and of indentation.
func flowDepths(text string) []int {
	depth, most, indent := 0, 0, 0
	start := true
	spaces := 0
	for _, r := range text {
		switch {
		case r == '\n':
			start, spaces = true, 0
		case start && (r == ' ' || r == '-' || r == '?'):
			spaces++
			indent = max(indent, spaces)
		default:
			start = false
		}
		switch r {
		case '{', '[':
			depth++
			most = max(most, depth)
		case '}', ']':
			depth--
		}
	}
	return []int{most, indent / 2}
}

// countNodes takes a node and what its aliases stand for off what is left.
func countNodes(n *yaml.Node, left, depth int) int {
	left--
	if depth > 2*maxDataDepth {
		return -1
	}
	if n.Kind == yaml.AliasNode {
		return countNodes(n.Alias, left, depth+1)
	}
	for _, c := range n.Content {
		if left < 0 {
			break
		}
		left = countNodes(c, left, depth+1)
	}
	return left
}
