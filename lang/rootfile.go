package lang

import (
	"path"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

const rootSuffix = ".root.hcl"

// A rootFile is a parsed root definition file.
type rootFile struct {
	name       string
	hosts      map[string]*hcl.Block // nil in Compose files
	containers []rootContainer
}

// A rootContainer is a container as written. In Compose files image and host are
// nil and name says it all.
type rootContainer struct {
	name  string
	rng   hcl.Range
	image hcl.Expression
	host  hcl.Expression

	literal    string // the image of a Compose service
	literalRng hcl.Range
}

// readRootFile reads the root definition file at p. It returns nil where there
// is nothing to go on with.
func (p *project) readRootFile(at *Path) *rootFile {
	name := at.Name
	native := strings.HasSuffix(name, rootSuffix)
	compose := strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
	if !native && !compose {
		p.report(failure(at.Range, "Unknown kind of root definition",
			"The file %q must end in .root.hcl (the native form) or in .yaml or .yml (a Compose file).", path.Base(name)))
		return nil
	}
	src, err := readLimited(p.fsys, name, MaxSourceSize)
	if err != nil {
		p.report(fileError(name, err, at.Range))
		return nil
	}
	if compose {
		return p.readCompose(name, src)
	}
	f := p.parseSource(name, src)
	if f == nil {
		return nil
	}
	return p.readNativeRoot(name, f.Body)
}

var rootFileSchema = &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
	{Type: "container", LabelNames: []string{"name"}},
	{Type: "document", LabelNames: []string{"name"}},
	{Type: "host", LabelNames: []string{"name"}},
	{Type: "variable", LabelNames: []string{"name"}},
}}

var containerSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{
	{Name: "image", Required: true},
	{Name: "host", Required: true},
}}

// readNativeRoot reads host and container blocks. What else the form has is
// compiled at the sites' side of the language and not looked into here.
func (p *project) readNativeRoot(name string, body hcl.Body) *rootFile {
	r := &rootFile{name: name, hosts: make(map[string]*hcl.Block)}
	content, diags := body.Content(rootFileSchema)
	p.report(diags...)
	first := make(map[string]*hcl.Block)
	for _, b := range content.Blocks {
		key := b.Type + "." + b.Labels[0]
		if prev := first[key]; prev != nil {
			p.report(duplicateBlock(
				&block{kind: b.Type, labels: b.Labels, header: b.DefRange}, &block{header: prev.DefRange}))
			continue
		}
		first[key] = b
		switch b.Type {
		case "host":
			r.hosts[b.Labels[0]] = b
		case "container":
			p.addContainer(r, b)
		}
	}
	return r
}

func (p *project) addContainer(r *rootFile, b *hcl.Block) {
	content, _, diags := b.Body.PartialContent(containerSchema)
	p.report(diags...)
	c := rootContainer{name: b.Labels[0], rng: b.DefRange}
	if !validName.MatchString(c.name) {
		p.report(failure(b.DefRange, "Invalid name",
			"%q is no name for a container: a name begins with a letter or digit, goes on with letters, digits, dots, - and _, and has 128 characters at most.", c.name))
	}
	if a := content.Attributes["image"]; a != nil {
		c.image = a.Expr
	}
	if a := content.Attributes["host"]; a != nil {
		c.host = a.Expr
	}
	r.containers = append(r.containers, c)
}
