package lang

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// rootUses remember what the expressions of a root definition file gave for the
// site that was compiled last. A site that gives the references of an expression
// the same values gives the expression the same result, so that a file costs
// what differs from site to site, and not all of it for each.
type rootUses struct {
	names      map[string]*usedName
	attrs      map[*hcl.Attribute]*usedAttr
	containers map[*block]*usedContainer
	generators map[*generator]*usedGenerator
	listed     []Container // of the site that was compiled last
	unknownIDs cty.Value   // images.* before the build; NilVal until needed
	file       *rootFile
}

func newRootUses(file *rootFile) *rootUses {
	return &rootUses{
		file:       file,
		names:      make(map[string]*usedName),
		attrs:      make(map[*hcl.Attribute]*usedAttr),
		containers: make(map[*block]*usedContainer),
		generators: make(map[*generator]*usedGenerator),
	}
}

// A usedName is a reference of the file, whose occurrences share it.
type usedName struct {
	traversal hcl.Traversal
	site      *rootFrame // what the rest holds for
	value     cty.Value  // NilVal where there is none
	version   int        // another one for each value that differs from the one before
	shape     int        // the same for values that plain expressions tell apart
	resolved  bool       // the reference has been checked and is right
}

// A usedAttr is an attribute of the file and what came of it last.
type usedAttr struct {
	refs  []*usedName
	at    []hcl.Traversal // the same with their places
	build bool            // one of refs is known after the build only, or at the site
	plain bool            // see isPlain

	versions []int // of refs; nil where there is no result
	shapes   []int
	result   any
	ok       bool
	diags    hcl.Diagnostics
}

// A usedContainer is a container block without config files and what came of it
// last, as far as that is known before the build.
type usedContainer struct {
	refs     []*usedName // whose values matter
	versions []int
	typed    []*usedName // whose types matter
	shapes   []int
	result   ManifestContainer
	needs    []Path
}

// attr looks an attribute's references up, once for all sites.
func (u *rootUses) attr(a *hcl.Attribute) *usedAttr {
	out := u.attrs[a]
	if out == nil {
		out = &usedAttr{at: a.Expr.Variables(), plain: textOnly[a.Name] && isPlain(a.Expr)}
		out.refs, out.build = u.lookUp(out.at), slices.ContainsFunc(out.at, u.knownLater)
		u.attrs[a] = out
	}
	return out
}

func (u *rootUses) lookUp(refs []hcl.Traversal) []*usedName {
	out := make([]*usedName, 0, len(refs))
	for _, t := range refs {
		out = append(out, u.name(t))
	}
	return out
}

func (u *rootUses) name(t hcl.Traversal) *usedName {
	key := traversalKey(t)
	if u.names[key] == nil {
		u.names[key] = &usedName{traversal: t}
	}
	return u.names[key]
}

// traversalKey writes a reference so that different ones differ.
func traversalKey(t hcl.Traversal) string {
	var b strings.Builder
	for _, s := range t {
		switch s := s.(type) {
		case hcl.TraverseRoot:
			fmt.Fprintf(&b, "%q", s.Name)
		case hcl.TraverseAttr:
			fmt.Fprintf(&b, ".%q", s.Name)
		case hcl.TraverseIndex:
			fmt.Fprintf(&b, "[%#v]", s.Key)
		}
	}
	return b.String()
}

// current is the version of the reference's value at a site.
func (n *usedName) current(r *rootFrame) int {
	n.enter(r)
	return n.version
}

// enter looks the value up for a site that the reference has not been used at.
func (n *usedName) enter(r *rootFrame) {
	if n.site == r {
		return
	}
	n.site, n.resolved = r, false
	v, diags := n.traversal.TraverseAbs(r.ctx)
	if diags.HasErrors() {
		v = cty.NilVal
	}
	if v != cty.NilVal && n.value != cty.NilVal && v.RawEquals(n.value) {
		return
	}
	if !sameShape(v, n.value) {
		n.shape++
	}
	n.value = v
	n.version++
}

// same tells whether the references give what they gave when versions was made,
// which is nil where they were never used.
func same(r *rootFrame, refs []*usedName, versions []int) bool {
	if versions == nil {
		return false
	}
	for i, n := range refs {
		if n.current(r) != versions[i] {
			return false
		}
	}
	return true
}

func versionsOf(r *rootFrame, refs []*usedName) []int {
	out := make([]int, len(refs))
	for i, n := range refs {
		out[i] = n.current(r)
	}
	return out
}

// settled tells that an attribute, of which nothing but its errors matters before
// the build, has none at this site because it had none at another.
func (u *usedAttr) settled(r *rootFrame) bool {
	return r.ids == nil && u.plain && u.ok && len(u.diags) == 0 && sameShapes(r, u.refs, u.shapes)
}

func sameShapes(r *rootFrame, refs []*usedName, shapes []int) bool {
	for i, n := range refs {
		if n.enter(r); n.shape != shapes[i] {
			return false
		}
	}
	return true
}

func shapesOf(r *rootFrame, refs []*usedName) []int {
	out := make([]int, len(refs))
	for i, n := range refs {
		n.enter(r)
		out[i] = n.shape
	}
	return out
}

// remembered gives what compute makes of an attribute, which it takes for one
// purpose only and from nothing but its expression.
func remembered[T any](r *rootFrame, b *block, name string, compute func() (T, bool)) (T, bool) {
	a := b.attrs[name]
	if a == nil {
		var none T
		return none, false
	}
	u := r.root.uses.attr(a)
	if result, ok := u.result.(T); ok && (u.settled(r) || same(r, u.refs, u.versions)) {
		r.report(copies(u.diags)...)
		return result, u.ok
	}
	before := len(r.diags)
	result, ok := compute()
	if r.scope.project.meter.tripped == nil {
		u.versions, u.shapes, u.result, u.ok = versionsOf(r, u.refs), shapesOf(r, u.refs), result, ok
		u.diags = copies(r.diags[before:])
	}
	return result, ok
}

// copies keep apart what each site notes in its diagnostics.
func copies(diags hcl.Diagnostics) hcl.Diagnostics {
	out := make(hcl.Diagnostics, 0, len(diags))
	for _, d := range diags {
		c := *d
		out = append(out, &c)
	}
	return out
}

// The attributes of the file are evaluated as those of other blocks are, and
// remembered.

func (r *rootFrame) text(b *block, name string) (string, bool) {
	return remembered(r, b, name, func() (string, bool) { return r.frame.text(b, name) })
}

func (r *rootFrame) texts(b *block, name string) ([]string, bool) {
	return remembered(r, b, name, func() ([]string, bool) { return r.frame.texts(b, name) })
}

func (r *rootFrame) textMap(b *block, name string) map[string]string {
	out, _ := remembered(r, b, name, func() (map[string]string, bool) { return r.frame.textMap(b, name), true })
	return out
}

func (r *rootFrame) flag(b *block, name string) bool {
	out, _ := remembered(r, b, name, func() (bool, bool) { return r.frame.flag(b, name), true })
	return out
}

// container gives what came of a container at the last site if it is the same at
// this one, where a dynamic block may not have made its host.
func (u *rootUses) container(r *rootFrame, b *block) *usedContainer {
	c := u.containers[b]
	if c == nil || r.hosts[c.result.Host] == nil || !same(r, c.refs, c.versions) || !sameShapes(r, c.typed, c.shapes) {
		return nil
	}
	return c
}

// newContainer looks up what a container block refers to.
func (u *rootUses) newContainer(b *block) *usedContainer {
	c := &usedContainer{}
	for _, a := range b.sortedAttrs() {
		if used := u.attr(a); used.plain {
			c.typed = append(c.typed, used.refs...)
		} else {
			c.refs = append(c.refs, used.refs...)
		}
	}
	for _, inner := range b.blocks {
		for _, t := range inner.references() {
			c.refs = append(c.refs, u.name(t))
		}
	}
	return c
}

// keepContainer remembers a container that nothing was wrong with.
func (u *rootUses) keepContainer(r *rootFrame, b *block, out ManifestContainer, needs []Path) {
	c := u.containers[b]
	if c == nil {
		c = u.newContainer(b)
		u.containers[b] = c
	}
	c.versions, c.result, c.needs = versionsOf(r, c.refs), out, slices.Clone(needs)
	c.shapes = shapesOf(r, c.typed)
}
