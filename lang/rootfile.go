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
	compose    *composeFile // nil in native files
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
	r := &rootFile{name: name}
	all, diags := reader{tool: p.opts.ToolVersion}.body(body, rootFileSpec)
	p.report(diags...)
	first := make(map[string]*block)
	for _, b := range all.blocks {
		key := b.kind + "." + b.name()
		if prev := first[key]; prev != nil {
			p.report(duplicateBlock(b, prev))
			continue
		}
		first[key] = b
		p.addRootBlock(r, b)
	}
	return r
}

func (p *project) addRootBlock(r *rootFile, b *block) {
	switch b.kind {
	case "variable":
		if hclsyntax.ValidIdentifier(b.name()) {
			r.variables = append(r.variables, b)
			return
		}
		p.report(failure(b.header, "Invalid name", "%q cannot be the name of a variable: it must begin with a letter and hold letters, digits, - and _ only.", b.name()))
	case "host":
		p.checkRootName(b)
		r.hosts = append(r.hosts, b)
	case "container":
		p.checkRootName(b)
		r.containers = append(r.containers, b)
	case "document":
		r.documents = append(r.documents, b)
	}
}

// checkRootName checks a name that becomes part of file names at the sites.
func (p *project) checkRootName(b *block) {
	if !validName.MatchString(b.name()) {
		p.report(failure(b.header, "Invalid name",
			"%q is no name for a %s: a name begins with a letter or digit, goes on with letters, digits, dots, - and _, and has 128 characters at most.", b.name(), b.kind))
	}
	if b.kind == "host" && manifestDir+b.name() == ManifestEntry {
		p.report(failure(b.header, "Invalid name", "A host cannot be named %q, because the patch has a file of that name.", b.name()))
	}
}
