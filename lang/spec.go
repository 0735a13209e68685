package lang

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
)

// A blockSpec says what may stand in a block. The specs are the only table of
// the language: the decoder reads by them, and [Describe] tells of them.
type blockSpec struct {
	doc    string // sentences in Markdown
	labels []string
	attrs  []attrSpec
	blocks map[string]*blockSpec
	once   bool // at most one such block in its parent
	needed bool // at least one such block in its parent; checked on evaluation

	dynamic bool // dynamic blocks may make the blocks in it
	free    bool // further attributes of any name, as in locals; attrs are not checked
	fixed   bool // evaluation begins with such blocks, so that dynamic cannot make them
}

// An attrSpec says what an attribute is.
type attrSpec struct {
	name    string
	typ     string // see Attribute.Type
	need    need
	preset  string   // see Attribute.Default
	choices []string // see Attribute.Values
	doc     string   // sentences in Markdown
}

// A need says whether an attribute must be set.
type need int

const (
	optional need = iota
	required      // and not to null
	notNull       // must not be null where it is set
)

// attr finds the spec of an attribute, or nil.
func (s *blockSpec) attr(name string) *attrSpec {
	for i := range s.attrs {
		if s.attrs[i].name == name {
			return &s.attrs[i]
		}
	}
	return nil
}

// names lists the attributes of some need.
func (s *blockSpec) names(n need) []string {
	var out []string
	for _, a := range s.attrs {
		if a.need == n {
			out = append(out, a.name)
		}
	}
	return out
}

// schema lists everything that the language has. A partial one requires nothing.
func (s *blockSpec) schema(partial bool) *hcl.BodySchema {
	var out hcl.BodySchema
	for _, a := range s.attrs {
		out.Attributes = append(out.Attributes, hcl.AttributeSchema{Name: a.name, Required: a.need == required && !partial})
	}
	for n, c := range s.blocks {
		out.Blocks = append(out.Blocks, hcl.BlockHeaderSchema{Type: n, LabelNames: c.labels})
	}
	if s != dynamicSpec {
		out.Blocks = append(out.Blocks, hcl.BlockHeaderSchema{Type: dynamicKind, LabelNames: dynamicSpec.labels})
	}
	slices.SortFunc(out.Blocks, func(x, y hcl.BlockHeaderSchema) int { return compareStrings(x.Type, y.Type) })
	return &out
}

// dynamicSpec is that of dynamic blocks. What may stand in content is up to the
// label.
var dynamicSpec = &blockSpec{
	doc:    "Makes one block of the kind in the label for each element, as in Terraform. Within `content` the element is `KIND.key` and `KIND.value`.",
	labels: []string{"type"},
	attrs: []attrSpec{
		{name: "for_each", typ: anyType, need: required, doc: "A map, an object, a list or a set: one block for each element."},
		{name: "iterator", typ: nameType, preset: "the label", doc: "Name of the element within `content`, without quotes."},
		{name: "labels", typ: textsType, doc: "Labels of the blocks, for kinds that have some."},
	},
	blocks: map[string]*blockSpec{"content": {doc: "What stands in each block.", once: true, needed: true}},
}
