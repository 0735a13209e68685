package lang

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// A Language describes the language as the decoder knows it: what references,
// schemas and editors are made from. All texts are Markdown.
type Language struct {
	Project    *BlockType // what stands in *.floto.hcl files; without a name
	Root       *BlockType // what stands in *.root.hcl files; without a name
	Variables  *BlockType // what stands in *.hclvars files; without a name
	Functions  []Function // sorted by name
	References []Reference
}

// A BlockType is a kind of block. Values are shared and not to be changed.
type BlockType struct {
	Name     string
	Labels   []string // what its labels are, in order: "name"
	Doc      string
	Once     bool // at most one in its parent
	Required bool // at least one in its parent
	Dynamic  bool // dynamic blocks may make those in it
	Fixed    bool // dynamic blocks cannot make it
	Free     bool // attributes of any name may stand in it, besides Attributes

	Attributes []Attribute  // in the order in which they are best read
	Blocks     []*BlockType // sorted by name
}

// An Attribute may be set in a block.
type Attribute struct {
	Name string
	// Type is a type as variables have them, with alternatives behind "|". Beside
	// the usual names there are "image", "image_set", "root_definition" and "envelope" for
	// references to such blocks, "type" for a type itself, and "name" for a word
	// without quotes.
	Type     string
	Required bool
	NotNull  bool     // must not be null where it is set
	Default  string   // an expression, or words; empty where there is none
	Values   []string // the only strings that it may be; nil for any
	Doc      string
}

// A Parameter is one of a function's.
type Parameter struct {
	Name, Type string
}

// A Function can be called in expressions.
type Function struct {
	Name     string
	Group    string // such as "text", for a list in groups
	Params   []Parameter
	Variadic *Parameter // takes all further arguments; nil where there are none
	Result   string     // type
	Doc      string
}

// Signature writes how the function is called and what it gives.
func (f *Function) Signature() string {
	text := f.Name + "("
	for i, p := range f.Params {
		if i > 0 {
			text += ", "
		}
		text += p.Name + ": " + p.Type
	}
	if v := f.Variadic; v != nil {
		if len(f.Params) > 0 {
			text += ", "
		}
		text += v.Name + "...: " + v.Type
	}
	return text + ") " + f.Result
}

// Describe tells of the language that this version understands.
func Describe() *Language {
	return &Language{
		Project:    describeBlock("", projectSpec),
		Root:       describeBlock("", rootFileSpec),
		Variables:  describeBlock("", variablesSpec),
		Functions:  describeFunctions(),
		References: slices.Clone(references),
	}
}

// DynamicBlock describes the blocks "dynamic" that may stand where
// BlockType.Dynamic says so.
func DynamicBlock() *BlockType { return describeBlock(dynamicKind, dynamicSpec) }

func describeBlock(name string, s *blockSpec) *BlockType {
	b := &BlockType{
		Name: name, Labels: s.labels, Doc: s.doc, Once: s.once, Required: s.needed,
		Dynamic: s.dynamic, Fixed: s.fixed, Free: s.free,
	}
	for _, a := range s.attrs {
		b.Attributes = append(b.Attributes, Attribute{
			Name: a.name, Type: a.typ, Required: a.need == required, NotNull: a.need == notNull,
			Default: a.preset, Values: a.choices, Doc: a.doc,
		})
	}
	for _, n := range slices.Sorted(maps.Keys(s.blocks)) {
		b.Blocks = append(b.Blocks, describeBlock(n, s.blocks[n]))
	}
	return b
}

// Attribute finds an attribute by its name, or gives nil.
func (b *BlockType) Attribute(name string) *Attribute {
	for i := range b.Attributes {
		if b.Attributes[i].Name == name {
			return &b.Attributes[i]
		}
	}
	return nil
}

// Block finds a kind of block within by its name, or gives nil.
func (b *BlockType) Block(name string) *BlockType {
	for _, c := range b.Blocks {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// describeFunctions takes names and types of parameters from the functions
// themselves, before any is made to take more, and the rest from functionDocs.
func describeFunctions() []Function {
	all := newProject(nil, Options{}).builtins(&folder{dir: "."}, ".")
	maps.Copy(all, bareFunctions())
	var out []Function
	for _, name := range slices.Sorted(maps.Keys(all)) {
		d := functionDocs[name]
		f := Function{Name: name, Group: d.group, Result: d.result, Doc: d.doc}
		for _, p := range all[name].Params() {
			f.Params = append(f.Params, describeParameter(p))
		}
		if v := all[name].VarParam(); v != nil {
			p := describeParameter(*v)
			f.Variadic = &p
		}
		out = append(out, f)
	}
	return out
}

func describeParameter(p function.Parameter) Parameter {
	if p.Type.IsCapsuleType() {
		return Parameter{p.Name, "expression"} // of try and can, which evaluate it themselves
	}
	return Parameter{p.Name, typeText(p.Type)}
}

func typeText(t cty.Type) string { return typeexpr.TypeString(t) }
