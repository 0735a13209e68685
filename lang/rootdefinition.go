package lang

import (
	"path"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// A rootDecl is a root_definition block.
type rootDecl struct {
	block  *block
	folder *folder // of its configuration

	result *RootDefinition
	file   *rootFile // nil where it cannot be read
	whole  bool      // all image sets are known, so that an unknown image is an error

	uses *rootUses // what its file gave for the last site
}

func (d *rootDecl) evaluate(f *frame) cty.Value {
	d.result = &RootDefinition{Name: d.block.name(), Range: d.block.header}
	d.folder = f.scope.folder
	f.scope.rootDefs[f.node.addr] = d
	block := f.expand(d.block)
	if p, ok := f.path(block, "file", true); ok {
		d.result.File = *p
		d.file = f.rootFile(p)
	}
	d.uses = newRootUses(d.file)
	d.imageSets(f)
	d.result.Conf = f.conf(block.only("conf"))
	return cty.ObjectVal(map[string]cty.Value{
		"address": cty.StringVal(f.node.addr),
		"name":    cty.StringVal(d.result.Name),
	})
}

// rootFile reads a root definition file, once for all that name it.
func (f *frame) rootFile(p *Path) *rootFile {
	if leavesProject(p.Name) {
		f.report(failure(p.Range, "Path outside of the project", "A root definition file must stand in the project folder, because it travels in the patch. Move %q there.", p.Name))
		return nil
	}
	pr := f.scope.project
	if r, ok := pr.roots[p.Name]; ok {
		return r
	}
	r := pr.readRootFile(p)
	if pr.roots == nil {
		pr.roots = make(map[string]*rootFile)
	}
	pr.roots[p.Name] = r
	return r
}

// imageSets evaluates the attribute image_sets, and checks that no image name
// stands twice.
func (d *rootDecl) imageSets(f *frame) {
	v, ok := f.value(d.block, "image_sets", cty.DynamicPseudoType)
	if !ok {
		return
	}
	expr := d.block.attrs["image_sets"].Expr
	if t := v.Type(); !t.IsTupleType() && !t.IsListType() && !t.IsSetType() {
		f.report(failure(expr.Range(), "Wrong type", "The attribute \"image_sets\" needs a list of image sets: write [image_set.NAME, …]."))
		return
	}
	d.whole = true
	for i, e := range v.AsValueSlice() {
		if !d.addSet(f, e, itemRange(expr, i)) {
			d.whole = false
		}
	}
	d.checkImageNames(f, expr.Range())
}

func (d *rootDecl) addSet(f *frame, v cty.Value, rng hcl.Range) bool {
	addr := addressOf(v)
	set := f.scope.sets[addr]
	if set == nil {
		f.report(failure(rng, "Wrong type", "This is no image set. Write image_set.NAME."))
		return false
	}
	for _, s := range d.result.ImageSets {
		if s == set {
			f.report(failure(rng, "Duplicate image set", "The image set %q stands twice in the list. Remove one.", set.Name))
			return true
		}
	}
	d.result.ImageSets = append(d.result.ImageSets, set)
	return true
}

func (d *rootDecl) checkImageNames(f *frame, rng hcl.Range) {
	first := make(map[string]*Image)
	for _, s := range d.result.ImageSets {
		for _, im := range s.Images {
			if prev := first[im.Name]; prev != nil {
				f.report(failure(rng, "Duplicate image name",
					"Two images of these sets are named %q: %s at %s and %s at %s. Containers could not tell them apart: give one of them another name.",
					im.Name, prev.Address(), place(prev.Range), im.Address(), place(im.Range)))
				continue
			}
			first[im.Name] = im
		}
	}
}

// conf evaluates the conf block.
func (f *frame) conf(b *block) Conf {
	c := Conf{Include: []string{"**"}}
	if v, ok := f.patterns(b, "include"); ok {
		c.Include = v
	}
	c.Exclude, _ = f.patterns(b, "exclude")
	return c
}

func (f *frame) patterns(b *block, name string) ([]string, bool) {
	list, ok := f.texts(b, name)
	for i, p := range list {
		if !validPattern(p) {
			f.report(failure(itemRange(b.attrs[name].Expr, i), "Invalid pattern",
				"%q is no pattern for files of the project: write a relative path with slashes, in which * stands for any characters, ** for any folders, {a,b} for one of several.", p))
		}
	}
	return list, ok
}

func validPattern(p string) bool {
	return p != "" && doublestar.ValidatePattern(p) && !leavesProject(path.Clean(p)) && !strings.Contains(p, "\x00")
}
