package lang

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// A Declaration is something that files give a name to.
type Declaration struct {
	Address string // KIND.NAME as references write it: var.a, local.b, image_set.c.image.d, function.e, host.f
	Kind    string // type of its block, or "local"
	Name    string
	Doc     string // its description, where that is a plain string
	Source  string // folder of a module, relative to the project folder
	Range   hcl.Range
}

// An Outline lists what a folder or a root definition file declares. It is read
// without evaluation and as far as the files can be parsed, so that it serves
// while somebody writes in them.
type Outline struct {
	Declarations []Declaration // in the order of the files
}

// Find gives the declaration of an address, or nil.
func (o *Outline) Find(address string) *Declaration {
	i := slices.IndexFunc(o.Declarations, func(d Declaration) bool { return d.Address == address })
	if i < 0 {
		return nil
	}
	return &o.Declarations[i]
}

// OutlineFolder reads the configuration files in a folder of the project.
func OutlineFolder(fsys fs.FS, dir string) *Outline {
	f, _ := newProject(fsys, Options{}).folder(dir)
	out := &Outline{}
	for _, b := range f.blocks {
		out.add(b, dir)
	}
	return out
}

// OutlineRoot reads a root definition file of the native form.
func OutlineRoot(fsys fs.FS, name string) *Outline {
	out := &Outline{}
	p := newProject(fsys, Options{})
	src, err := readLimited(fsys, name, MaxSourceSize)
	if err != nil {
		return out
	}
	f := p.parseSource(name, src)
	if f == nil {
		return out
	}
	r := p.readNativeRoot(name, f.Body)
	for _, b := range slices.Concat(r.variables, r.hosts, r.containers, r.documents) {
		out.add(b, path.Dir(name))
	}
	return out
}

func (o *Outline) add(b *block, dir string) {
	if b.kind == "locals" {
		for _, a := range b.sortedAttrs() {
			o.Declarations = append(o.Declarations, Declaration{Address: "local." + a.Name, Kind: "local", Name: a.Name, Range: a.NameRange})
		}
		return
	}
	if len(b.labels) == 0 {
		return
	}
	prefix := b.kind
	if prefix == "variable" {
		prefix = "var"
	}
	d := Declaration{Address: prefix + "." + b.name(), Kind: b.kind, Name: b.name(), Doc: plainText(b.attrs["description"]), Range: b.header}
	if b.kind == "module" {
		d.Source = path.Join(dir, plainText(b.attrs["source"]))
	}
	o.Declarations = append(o.Declarations, d)
	if b.kind != "image_set" {
		return
	}
	for _, c := range b.blocks {
		o.Declarations = append(o.Declarations, Declaration{Address: d.Address + ".image." + c.name(), Kind: c.kind, Name: c.name(), Range: c.header})
	}
}

// plainText is the value of an attribute that is a plain string.
func plainText(a *hcl.Attribute) string {
	if a == nil {
		return ""
	}
	v, diags := a.Expr.Value(nil)
	if diags.HasErrors() || v.IsNull() || !v.IsKnown() || v.IsMarked() || v.Type() != cty.String {
		return ""
	}
	return strings.TrimSpace(v.AsString())
}
