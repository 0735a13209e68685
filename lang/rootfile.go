package lang

import (
	"path"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

const rootSuffix = ".root.hcl"

// A rootFile is a parsed root definition file.
type rootFile struct {
	name       string
	variables  []*block
	hosts      []*block
	containers []*block
	documents  []*block
	generators []*block          // dynamic blocks for all but variables
	compose    *composeFile      // nil in native files
	first      map[string]*block // by kind and name
}

// places gives the places of the containers by name.
func (r *rootFile) places() map[string]hcl.Range {
	out := make(map[string]hcl.Range)
	if r.compose != nil {
		for _, s := range r.compose.services {
			out[s.name] = s.rng
		}
	}
	for _, b := range r.containers {
		out[b.name()] = b.header
	}
	return out
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

// readNativeRoot reads the blocks of a native file. A block that stands twice
// counts once.
func (p *project) readNativeRoot(name string, body hcl.Body) *rootFile {
	r := &rootFile{name: name, first: make(map[string]*block)}
	all, diags := reader{}.body(body, rootFileSpec)
	p.report(diags...)
	for _, b := range all.blocks {
		p.report(r.add(b)...)
	}
	return r
}

// add adds a block, unless its name is taken.
func (r *rootFile) add(b *block) hcl.Diagnostics {
	if b.generator != nil {
		r.generators = append(r.generators, b)
		return nil
	}
	key := b.kind + "." + b.name()
	if prev := r.first[key]; prev != nil {
		return hcl.Diagnostics{duplicateBlock(b, prev)}
	}
	r.first[key] = b
	switch b.kind {
	case "variable":
		if !hclsyntax.ValidIdentifier(b.name()) {
			return hcl.Diagnostics{failure(b.header, "Invalid name", "%q cannot be the name of a variable: it must begin with a letter and hold letters, digits, - and _ only.", b.name())}
		}
		r.variables = append(r.variables, b)
	case "host":
		r.hosts = append(r.hosts, b)
		return checkRootName(b)
	case "container":
		r.containers = append(r.containers, b)
		return checkRootName(b)
	case "document":
		r.documents = append(r.documents, b)
	}
	return nil
}

// checkRootName checks a name that becomes part of file names at the sites.
func checkRootName(b *block) (diags hcl.Diagnostics) {
	if !validName.MatchString(b.name()) {
		diags = append(diags, failure(b.header, "Invalid name",
			"%q is no name for a %s: a name begins with a letter or digit, goes on with letters, digits, dots, - and _, and has 128 characters at most.", b.name(), b.kind))
	}
	if entry := manifestDir + b.name(); b.kind == "host" && (entry == ManifestEntry || entry == SiteEntry) {
		diags = append(diags, failure(b.header, "Invalid name", "A host cannot be named %q, because the patch has a file of that name.", b.name()))
	}
	return diags
}
