package lang

import (
	"cmp"
	"path"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// Limits on what a root definition gives a patch, in bytes.
const (
	maxRendered = 16 << 20 // of one document or config file
	maxManifest = 64 << 20 // of all entries of a site together
)

// A CompileInput is what a root definition sees of the patch that it goes with.
type CompileInput struct {
	// Images maps the names of the site's images to their ids.
	Images map[string]string
	Patch  PatchInfo

	local siteValues // nil where the patch is made
}

// PatchInfo is patch.* of root definition files.
type PatchInfo struct {
	ID       string
	Version  string
	Revision string
	Parent   string // id of the patch that it goes on top of; empty for an initial one
}

// Compile compiles the site's root definition. Load has done so with unknown
// ids, so that what is left to go wrong depends on the ids. With errors the
// manifest holds what could be compiled. Equal files and inputs give equal bytes.
// Each call has the whole budget of evaluation.
//
// It is for configurations that Load found no errors in, reads files through
// the file system that Load was given, and must not be called concurrently for
// sites of one Config.
func (s *Site) Compile(in CompileInput) (*Manifest, hcl.Diagnostics) {
	f := &frame{scope: s.source.scope}
	p := f.scope.project
	p.meter.reset()
	c := f.compile(s, s.source.root, &in)
	if d := p.meter.trippedBy(); d != nil {
		f.report(d)
	}
	m := c.manifest()
	f.finish(s.source.addr)
	if len(f.diags) == 0 {
		return m, nil
	}
	return m, sortDiagnostics(redact(f.diags, f.scope.secrets(), newLineMask(p.files, f.diags)))
}

// A siteSource is where a site was read: what Compile needs.
type siteSource struct {
	addr  string // of the instance
	scope *scope
	root  *rootDecl
}

// A rootFrame is the evaluation of a root definition file for one site.
type rootFrame struct {
	*frame
	site   *Site
	root   *rootDecl
	images map[string]*Image
	ids    map[string]string // nil where they are not known

	// blocks are the file's blocks, those of dynamic blocks among them; partial
	// says that some of these could not be made.
	blocks  *rootFile
	partial bool

	// compiling says that ids are known. siteVars are the variables of the file
	// that only the site knows, and local what the site gives them; nil where the
	// patch is made.
	compiling bool
	siteVars  []*siteVariable
	local     siteValues

	composeLocal map[string]string // texts of siteVars in a Compose file

	out   *Manifest
	hosts map[string]*hostFile // by name
	needs []Path               // files of conf/ that the Compose files refer to
	total int                  // bytes of out.files
}

// A hostFile is the Compose file of a host in the making.
type hostFile struct {
	services map[string]any
	volumes  map[string]any
	rest     map[string]any // further top-level keys
}

// compile compiles the root definition for a site; in is nil where neither ids
// nor the patch are known.
func (f *frame) compile(s *Site, root *rootDecl, in *CompileInput) *rootFrame {
	r := &rootFrame{
		frame:  f,
		site:   s,
		root:   root,
		images: root.result.Images(),
		hosts:  make(map[string]*hostFile),
		out: &Manifest{
			FormatVersion: plainManifest,
			Site:          s.Name,
			Project:       projectName(root.result.Name),
			Hosts:         []ManifestHost{},
			Containers:    []ManifestContainer{},
			Documents:     []ManifestDocument{},
			files:         make(map[string][]byte),
		},
	}
	if in != nil {
		r.compiling, r.ids, r.local = true, in.Images, in.local
	}
	r.blocks = root.file
	switch file := root.file; {
	case file == nil:
	case file.compose != nil:
		r.composeFile(file.compose)
	default:
		r.ctx = r.context(file, in)
		r.nativeFile(file)
	}
	r.aboutPlaceholders()
	r.out.needs = slices.Compact(slices.Clone(r.needs))
	slices.SortFunc(r.out.Hosts, func(a, b ManifestHost) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(r.out.Containers, func(a, b ManifestContainer) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(r.out.Documents, func(a, b ManifestDocument) int { return cmp.Compare(a.Path, b.Path) })
	return r
}

// context makes the names that a native file and its templates see.
func (r *rootFrame) context(file *rootFile, in *CompileInput) *hcl.EvalContext {
	vars := map[string]cty.Value{
		"site": cty.ObjectVal(map[string]cty.Value{
			"name": cty.StringVal(r.site.Name),
			"vars": cty.ObjectVal(shortNumbers(r.site.Vars)),
		}),
		"images": r.imageIDs(),
		"patch":  patchValue(in),
	}
	ctx := &hcl.EvalContext{Variables: vars, Functions: r.functions(file.name)}
	vars["var"] = r.variables(file, ctx)
	return ctx
}

// functions are what expressions of a file can call, the functions of the
// configuration that the root definition belongs to among them.
func (r *rootFrame) functions(file string) map[string]function.Function {
	return r.scope.project.functions(r.root.folder, path.Dir(file))
}

// imageIDs makes images.*: all images where their ids are not known, which is
// the same for all sites, else those that the patch carries.
func (r *rootFrame) imageIDs() cty.Value {
	uses := r.root.uses
	if r.ids == nil && uses.unknownIDs != cty.NilVal {
		return uses.unknownIDs
	}
	ids := make(map[string]cty.Value)
	for name := range r.images {
		if id, ok := r.ids[name]; ok {
			ids[name] = cty.StringVal(id)
		} else if r.ids == nil {
			ids[name] = cty.UnknownVal(cty.String).RefineNotNull()
		}
	}
	out := cty.ObjectVal(ids)
	if r.ids == nil {
		uses.unknownIDs = out
	}
	return out
}

// patchNames are the members of patch.*.
var patchNames = []string{"id", "version", "revision", "parent"}

func patchValue(in *CompileInput) cty.Value {
	known := cty.UnknownVal(cty.String).RefineNotNull()
	if in == nil {
		return cty.ObjectVal(map[string]cty.Value{
			"id": known, "revision": known, "version": known, "parent": cty.UnknownVal(cty.String),
		})
	}
	p := map[string]cty.Value{
		"id":       cty.StringVal(in.Patch.ID),
		"version":  cty.StringVal(in.Patch.Version),
		"revision": cty.StringVal(in.Patch.Revision),
		"parent":   cty.NullVal(cty.String),
	}
	if in.Patch.Parent != "" {
		p["parent"] = cty.StringVal(in.Patch.Parent)
	}
	return cty.ObjectVal(p)
}

func (f *frame) hasErrors() bool { return f.diags.HasErrors() }

// containers lists what the rest of the configuration needs of the containers.
// Sites with the same ones share the list.
func (r *rootFrame) containers() []Container {
	ranges := r.blocks.places()
	out := make([]Container, 0, len(r.out.Containers))
	for _, c := range r.out.Containers {
		out = append(out, Container{Name: c.Name, Image: c.Image, Host: c.Host, Range: ranges[c.Name]})
	}
	if uses := r.root.uses; !slices.Equal(out, uses.listed) {
		uses.listed = out
	}
	return r.root.uses.listed
}
