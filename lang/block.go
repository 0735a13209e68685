package lang

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
)

// A block is a block of the configuration as written: nothing of it is
// evaluated, but its shape has been checked against its spec.
type block struct {
	kind   string
	spec   *blockSpec
	labels []string
	header hcl.Range // type and labels
	attrs  hcl.Attributes
	blocks []*block

	generator *generator // of dynamic blocks
}

// name is the block's first label.
func (b *block) name() string {
	if len(b.labels) == 0 {
		return ""
	}
	return b.labels[0]
}

// only returns the first block of a kind, or an empty one.
func (b *block) only(kind string) *block {
	for _, c := range b.blocks {
		if c.kind == kind {
			return c
		}
	}
	return &block{kind: kind, header: b.header}
}

// mustHave reports whether null is refused as the value of an attribute.
func (b *block) mustHave(attr string) bool {
	if b.spec == nil {
		return false
	}
	a := b.spec.attr(attr)
	return a != nil && (a.need == required || a.need == notNull)
}

// references returns the references of all expressions in the block and the
// blocks within it, in the order of the source.
func (b *block) references() []hcl.Traversal {
	if b.generator != nil {
		return b.generator.references()
	}
	var out []hcl.Traversal
	for _, a := range b.sortedAttrs() {
		out = append(out, a.Expr.Variables()...)
	}
	for _, c := range b.blocks {
		out = append(out, c.references()...)
	}
	return out
}

func (b *block) sortedAttrs() []*hcl.Attribute {
	return sortAttributes(b.attrs)
}

func sortAttributes(attrs hcl.Attributes) []*hcl.Attribute {
	out := make([]*hcl.Attribute, 0, len(attrs))
	for _, a := range attrs {
		out = append(out, a)
	}
	slices.SortFunc(out, func(x, y *hcl.Attribute) int { return compareRanges(x.Range, y.Range) })
	return out
}

// A reader turns bodies into blocks.
type reader struct {
	// partial readers let required attributes be missing: an override file says
	// only what differs.
	partial bool
}

// body checks a body against its spec. What is wrong is left out of the result
// and reported.
func (r reader) body(body hcl.Body, spec *blockSpec) (*block, hcl.Diagnostics) {
	if spec.free {
		attrs, diags := body.JustAttributes()
		return &block{spec: spec, attrs: attrs}, diags
	}
	content, diags := body.Content(spec.schema(r.partial))
	b := &block{spec: spec, attrs: hcl.Attributes{}}
	for name, a := range content.Attributes {
		b.attrs[name] = a
	}
	for _, hb := range content.Blocks {
		child, ds := r.child(hb, spec)
		diags = append(diags, ds...)
		if child != nil {
			b.blocks = append(b.blocks, child)
		}
	}
	b.blocks, diags = checkOnce(b.blocks, spec, diags)
	return b, diags
}

// child reads a block that stands in a block of the given spec.
func (r reader) child(hb *hcl.Block, parent *blockSpec) (*block, hcl.Diagnostics) {
	spec := parent.blocks[hb.Type]
	switch {
	case spec == nil && !parent.dynamic: // nothing but dynamic is in the schema
		return nil, hcl.Diagnostics{noDynamic(hb, parent)}
	case spec == nil:
		return r.dynamic(hb, parent)
	}
	return r.block(hb, spec)
}

func (r reader) block(hb *hcl.Block, spec *blockSpec) (*block, hcl.Diagnostics) {
	b, diags := r.body(hb.Body, spec)
	b.kind, b.labels, b.header = hb.Type, hb.Labels, hb.DefRange
	return b, diags
}

// checkOnce removes the repetitions of blocks that may stand only once.
func checkOnce(blocks []*block, spec *blockSpec, diags hcl.Diagnostics) ([]*block, hcl.Diagnostics) {
	first := make(map[string]*block)
	out := blocks[:0]
	for _, b := range blocks {
		s := spec.blocks[b.kind]
		if prev := first[b.kind]; s != nil && s.once && prev != nil {
			diags = append(diags, duplicateBlock(b, prev))
			continue
		}
		first[b.kind] = b
		out = append(out, b)
	}
	return out, diags
}

func duplicateBlock(b, first *block) *hcl.Diagnostic {
	summary := "Duplicate " + b.kind
	if len(b.labels) == 0 {
		return failure(b.header, summary, "Only one block %s may stand here, and the first is at %s. Remove one of them.", b.kind, place(first.header))
	}
	return failure(b.header, summary, "The name %q is taken by the %s at %s. Remove one of them, or rename it.", b.name(), b.kind, place(first.header))
}
