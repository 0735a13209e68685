package lang

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/dynblock"
)

const dynamicKind = "dynamic"

// A generator is a dynamic block: it makes blocks when it is evaluated.
type generator struct {
	raw      *hcl.Block
	parent   *blockSpec
	reader   reader
	iterator string
	forEach  hcl.Expression
	outer    []hcl.Traversal // of for_each
	labels   []hcl.Traversal
	content  *block
}

// dynamic reads a dynamic block. Its content is checked here, so that mistakes
// show even where for_each is empty.
func (r reader) dynamic(hb *hcl.Block, parent *blockSpec) (*block, hcl.Diagnostics) {
	kind := hb.Labels[0]
	spec := parent.blocks[kind]
	if spec == nil {
		known := slices.Collect(maps.Keys(parent.blocks))
		slices.Sort(known)
		return nil, hcl.Diagnostics{failure(hb.LabelRanges[0], "Unsupported dynamic block",
			"No block %q may stand here.%s", kind, didYouMeanOr(kind, known, "These may: %s.", strings.Join(known, ", ")))}
	}
	if spec.fixed {
		return nil, hcl.Diagnostics{fixedBlock(hb)}
	}
	g := &generator{raw: hb, parent: parent, reader: r, iterator: kind}
	content, diags := hb.Body.Content(dynamicSpec.schema(false))
	for _, a := range sortAttributes(content.Attributes) {
		switch name := hcl.ExprAsKeyword(a.Expr); {
		case a.Name == "for_each":
			g.forEach, g.outer = a.Expr, a.Expr.Variables()
		case a.Name == "labels":
			g.labels = a.Expr.Variables()
		case name != "":
			g.iterator = name
		}
	}
	for _, c := range content.Blocks {
		read, ds := r.block(c, spec)
		g.content, diags = read, append(diags, ds...)
	}
	if len(content.Blocks) != 1 {
		return nil, append(diags, failure(hb.DefRange, "Invalid dynamic block", "A dynamic block needs exactly one block content { … }."))
	}
	if diags.HasErrors() {
		return nil, diags
	}
	return &block{kind: dynamicKind, labels: hb.Labels, header: hb.DefRange, generator: g}, diags
}

// noDynamic refuses a dynamic block where none makes sense.
func noDynamic(hb *hcl.Block, parent *blockSpec) *hcl.Diagnostic {
	const summary = "Unsupported dynamic block"
	kind := hb.Labels[0]
	spec := parent.blocks[kind]
	switch {
	case spec == nil:
		return failure(hb.LabelRanges[0], summary, "No block %q may stand here, and no dynamic block.", kind)
	case spec.repeats():
		return failure(hb.LabelRanges[0], summary, "A block %s is repeated by its own attribute for_each, so that references can name each instance: %s \"NAME\" { for_each = … }.", kind, kind)
	}
	return fixedBlock(hb)
}

// fixedBlock refuses a dynamic block for what evaluation begins with.
func fixedBlock(hb *hcl.Block) *hcl.Diagnostic {
	return failure(hb.LabelRanges[0], "Unsupported dynamic block", "Blocks %s must be known before anything is evaluated, and cannot be made by dynamic. Write them out.", hb.Labels[0])
}

// repeats reports whether such blocks have the attribute for_each.
func (s *blockSpec) repeats() bool {
	return s.attr("for_each") != nil
}

// references are those of the block; the iterator is its own.
func (g *generator) references() []hcl.Traversal {
	return g.withInner(g.content.references())
}

// deciding are the references that decide which blocks are made: those of
// for_each and labels, of dynamic blocks within the content too.
func (g *generator) deciding() []hcl.Traversal {
	return g.withInner(g.content.deciding())
}

// withInner adds the references of the content to the generator's own.
func (g *generator) withInner(content []hcl.Traversal) []hcl.Traversal {
	inner := slices.DeleteFunc(slices.Concat(g.labels, content), func(t hcl.Traversal) bool { return t.RootName() == g.iterator })
	return slices.Concat(g.outer, inner)
}

func (b *block) deciding() []hcl.Traversal {
	if b.generator != nil {
		return b.generator.deciding()
	}
	var out []hcl.Traversal
	for _, c := range b.blocks {
		out = append(out, c.deciding()...)
	}
	return out
}

// expand makes the blocks of the dynamic blocks within b.
func (f *frame) expand(b *block) *block { return f.expandBy(b, f.generate) }

// expandBy is expand with another way to make the blocks of a dynamic block.
func (f *frame) expandBy(b *block, generate func(*generator) []*block) *block {
	if !b.hasDynamic() {
		return b
	}
	out := *b
	out.blocks = nil
	for _, c := range b.blocks {
		if c.generator == nil {
			out.blocks = append(out.blocks, f.expandBy(c, generate))
			continue
		}
		out.blocks = append(out.blocks, generate(c.generator)...)
	}
	var diags hcl.Diagnostics
	out.blocks, diags = checkOnce(out.blocks, b.spec, nil)
	f.report(diags...)
	return &out
}

func (b *block) hasDynamic() bool {
	return b.generator != nil || slices.ContainsFunc(b.blocks, (*block).hasDynamic)
}

// generate makes the blocks of one dynamic block.
func (f *frame) generate(g *generator) []*block {
	kind := g.raw.Labels[0]
	body := dynblock.Expand(oneBlock{g.raw}, f.ctx)
	content, diags := body.Content(&hcl.BodySchema{
		Blocks: []hcl.BlockHeaderSchema{{Type: kind, LabelNames: g.parent.blocks[kind].labels}},
	})
	f.report(diags...)
	f.scope.project.meter.pay(blockCost*len(content.Blocks), g.raw.DefRange)
	var out []*block
	for _, hb := range content.Blocks {
		b, diags := g.reader.block(hb, g.parent.blocks[kind])
		f.report(diags...)
		out = append(out, b)
	}
	return out
}

// A oneBlock is a body that holds one block and nothing else.
type oneBlock struct{ block *hcl.Block }

// Content implements hcl.Body.
func (o oneBlock) Content(*hcl.BodySchema) (*hcl.BodyContent, hcl.Diagnostics) {
	return &hcl.BodyContent{Blocks: hcl.Blocks{o.block}, MissingItemRange: o.block.DefRange}, nil
}

// PartialContent implements hcl.Body.
func (o oneBlock) PartialContent(schema *hcl.BodySchema) (*hcl.BodyContent, hcl.Body, hcl.Diagnostics) {
	content, diags := o.Content(schema)
	return content, hcl.EmptyBody(), diags
}

// JustAttributes implements hcl.Body.
func (o oneBlock) JustAttributes() (hcl.Attributes, hcl.Diagnostics) { return hcl.Attributes{}, nil }

// MissingItemRange implements hcl.Body.
func (o oneBlock) MissingItemRange() hcl.Range { return o.block.DefRange }
