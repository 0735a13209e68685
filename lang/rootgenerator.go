package lang

// A usedGenerator is a dynamic block of the file and the blocks that it made
// last. They see the iterator's values of then and all other names of the site
// that they are evaluated at, so that they serve every site at which for_each
// and labels give the same.
type usedGenerator struct {
	all      usedAttr    // all references, as those of one attribute
	deciding []*usedName // those of for_each and labels
	versions []int       // of deciding; nil where the blocks serve no other site
	blocks   []*block
}

// generator looks a dynamic block's references up, once for all sites.
func (u *rootUses) generator(g *generator) *usedGenerator {
	out := u.generators[g]
	if out == nil {
		refs := g.references()
		out = &usedGenerator{all: usedAttr{at: refs, refs: u.lookUp(refs)}, deciding: u.lookUp(g.deciding())}
		u.generators[g] = out
	}
	return out
}

// forget drops what is known of blocks that a dynamic block makes anew.
func (u *rootUses) forget(blocks []*block) {
	for _, b := range blocks {
		delete(u.containers, b)
		for _, a := range b.attrs {
			delete(u.attrs, a)
		}
		u.forget(b.blocks)
	}
}
