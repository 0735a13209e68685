package lang

import (
	"maps"
	"slices"
)

// expandedFile makes the blocks of the file's dynamic blocks.
func (r *rootFrame) expandedFile(file *rootFile) *rootFile {
	if len(file.generators) == 0 {
		return file
	}
	out := *file
	out.first = maps.Clone(file.first)
	out.hosts, out.containers, out.documents = slices.Clone(file.hosts), slices.Clone(file.containers), slices.Clone(file.documents)
	for _, g := range file.generators {
		if !r.soundGenerator(g) {
			continue
		}
		before := len(r.diags)
		for _, b := range r.generate(g.generator) {
			r.report(out.add(b)...)
		}
		r.partial = r.partial || len(r.diags) > before
	}
	r.blocks = &out
	return &out
}

// expanded makes the blocks of the dynamic blocks within b. Those whose
// references cannot be resolved are left out, after reporting them.
func (r *rootFrame) expanded(b *block) *block {
	if !b.hasDynamic() {
		return b
	}
	out := *b
	out.blocks = slices.DeleteFunc(slices.Clone(b.blocks), func(c *block) bool { return c.generator != nil && !r.soundGenerator(c) })
	return r.expandBy(&out, r.generate)
}

// generate makes the blocks of a dynamic block, or gives those of the site
// before where nothing that decides about them differs.
func (r *rootFrame) generate(g *generator) []*block {
	u := r.root.uses.generator(g)
	if same(r, u.deciding, u.versions) {
		return u.blocks
	}
	r.root.uses.forget(u.blocks)
	before := len(r.diags)
	u.blocks, u.versions = r.frame.generate(g), nil
	if len(r.diags) == before && r.scope.project.meter.tripped == nil {
		u.versions = versionsOf(r, u.deciding)
	}
	return u.blocks
}

// soundGenerator reports whether a dynamic block can be evaluated. How many
// blocks it makes must be known before the build, as the blocks are.
func (r *rootFrame) soundGenerator(b *block) bool {
	u := r.root.uses.generator(b.generator)
	ok := r.resolveAttr(&u.all)
	if ok && !same(r, u.deciding, u.versions) {
		expr := b.generator.forEach
		v, diags := expr.Value(r.ctx)
		ok = diags.HasErrors() || v.IsKnown()
		if !ok && slices.ContainsFunc(expr.Variables(), r.root.uses.knownLater) {
			r.report(failure(expr.Range(), "Value not known", "for_each decides which blocks there are and cannot depend on patch.* or on ids of images, which are known after the build only, or on variables that only the site knows."))
		}
	}
	r.partial = r.partial || !ok
	return ok
}
