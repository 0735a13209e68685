package lang

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
)

// override merges the blocks of an override file into a folder's: each changes
// the block of the same kind and labels, which must be there.
func (p *project) override(f *folder, blocks []*block) {
	for _, b := range blocks {
		if b.kind == "locals" {
			p.overrideLocals(f, b)
			continue
		}
		i := slices.IndexFunc(f.blocks, func(o *block) bool { return o.kind == b.kind && slices.Equal(o.labels, b.labels) })
		if i < 0 {
			p.report(nothingToOverride(b, f.names(b.kind)))
			continue
		}
		f.blocks[i] = p.merge(f.blocks[i], b)
	}
}

func nothingToOverride(b *block, known []string) *hcl.Diagnostic {
	if len(b.labels) == 0 {
		return failure(b.header, "Nothing to override", "No other file has a block %s that this could change. Write it into a file whose name does not end in _override.", b.kind)
	}
	return failure(b.header, "Nothing to override", "There is no %s %q that this could change.%s",
		b.kind, b.name(), didYouMeanOr(b.name(), known, "Write it into a file whose name does not end in _override."))
}

// merge gives a block with the attributes of the overriding one set. Labelled
// blocks within are merged in their turn; the others replace all of their kind.
func (p *project) merge(base, over *block) *block {
	out := *base
	out.attrs = maps.Clone(base.attrs)
	maps.Copy(out.attrs, over.attrs)
	out.blocks = slices.Clone(base.blocks)
	replaced := make(map[string]bool)
	for _, c := range over.blocks {
		if len(c.labels) > 0 && c.generator == nil {
			i := slices.IndexFunc(out.blocks, func(o *block) bool { return o.kind == c.kind && slices.Equal(o.labels, c.labels) })
			if i < 0 {
				p.report(nothingToOverride(c, labelsOf(base.blocks, c.kind)))
				continue
			}
			out.blocks[i] = p.merge(out.blocks[i], c)
			continue
		}
		kind := c.makes()
		if !replaced[kind] {
			replaced[kind] = true
			out.blocks = slices.DeleteFunc(out.blocks, func(o *block) bool { return o.makes() == kind })
		}
		out.blocks = append(out.blocks, c)
	}
	p.checkRequired(out.blocks)
	return &out
}

// makes is the kind of the blocks that the block stands for.
func (b *block) makes() string {
	if b.generator != nil {
		return b.labels[0]
	}
	return b.kind
}

func labelsOf(blocks []*block, kind string) []string {
	var out []string
	for _, b := range blocks {
		if b.kind == kind {
			out = append(out, b.name())
		}
	}
	return out
}

// overrideLocals changes single local values.
func (p *project) overrideLocals(f *folder, over *block) {
	for _, a := range over.sortedAttrs() {
		i := slices.IndexFunc(f.blocks, func(o *block) bool { return o.kind == "locals" && o.attrs[a.Name] != nil })
		if i < 0 {
			p.report(failure(a.NameRange, "Nothing to override", "There is no local value %q that this could change. Write it into a file whose name does not end in _override.", a.Name))
			continue
		}
		changed := *f.blocks[i]
		changed.attrs = maps.Clone(changed.attrs)
		changed.attrs[a.Name] = a
		f.blocks[i] = &changed
	}
}

// checkRequired reports what blocks that come whole from an override file lack.
// What was there before has been checked when it was read.
func (p *project) checkRequired(blocks []*block) {
	for _, b := range blocks {
		if b.spec == nil || b.generator != nil {
			continue
		}
		for _, name := range b.spec.names(required) {
			if b.attrs[name] == nil {
				p.report(failure(b.header, "Missing required argument", "The argument %q is required, but no definition was found. In an override file this block replaces the whole one of the other file.", name))
			}
		}
	}
}
