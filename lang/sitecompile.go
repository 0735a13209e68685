package lang

import (
	"io/fs"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// A SiteInput is what a site compiles a root definition with, besides the files
// in conf/ of the patch.
type SiteInput struct {
	Site   string // name
	Recipe []byte // manifest/site.json of the patch
	// CompileInput is what the patch was compiled with, and stands in its
	// description.
	CompileInput
	// Values are the site's own, by the names of the variables. Texts, numbers
	// and booleans are as people write them, all else is an expression of the
	// language. Those of variables that the root definition does not have are not
	// used.
	Values map[string]string
}

// A SiteManifest is a root definition compiled at the site.
type SiteManifest struct {
	*Manifest
	// Secrets are the texts that must not be shown, longest first: the values of
	// sensitive variables, and longer texts that were made of them.
	Secrets []string
}

// CompileAtSite compiles the root definition of a patch with the values that only
// the site knows. fsys is conf/ of the patch; hand over an os.Root's FS to keep
// links inside of it. With the values that stand in the patch the result has its
// bytes, as the entries conf/.GIT_* are not seen. Sensitive values stand in the
// result and not in the diagnostics. With errors the manifest is nil.
func CompileAtSite(fsys fs.FS, in SiteInput) (*SiteManifest, hcl.Diagnostics) {
	if in.Values == nil {
		in.Values = siteValues{}
	}
	return compileRecipe(withoutGit{fsys}, in)
}

// compileRecipe compiles what is in conf/. Without Values it does so as it is
// done where the patch is made.
func compileRecipe(fsys fs.FS, in SiteInput) (*SiteManifest, hcl.Diagnostics) {
	p := newProject(fsys, Options{})
	c, vars, err := decodeRecipe(in.Recipe)
	if err != nil {
		return nil, hcl.Diagnostics{failure(fileRange(SiteEntry), "Invalid manifest", "The entry %q of the patch cannot be read: %s.", SiteEntry, err)}
	}
	for _, v := range vars {
		p.meter.weigh(v, 1, fileRange(SiteEntry))
	}
	f := &frame{scope: &scope{results: newResults(), project: p}}
	site := &Site{Name: in.Site, Vars: vars, Range: fileRange(SiteEntry)}
	root := p.recipeRoot(c, in.Images)
	if p.diags.HasErrors() {
		return nil, p.siteDiagnostics(nil)
	}
	in.local = in.Values
	r := f.compile(site, root, &in.CompileInput)
	m := r.manifest()
	f.finish("site." + in.Site)
	p.report(f.diags...)
	if d := p.meter.trippedBy(); d != nil {
		p.report(d)
	}
	values, made := r.secretTexts()
	if diags := p.siteDiagnostics(made); diags.HasErrors() {
		return nil, diags
	}
	short := func(text string) bool { return len(text) < longSecret && !slices.Contains(values, text) }
	return &SiteManifest{m, slices.DeleteFunc(made, short)}, nil
}

// recipeRoot makes the root definition that a recipe tells of, with the images
// that the patch has.
func (p *project) recipeRoot(c *recipe, ids map[string]string) *rootDecl {
	folder, absent := p.folder(c.Folder)
	if absent.HasErrors() {
		// Without configuration files there are no functions, which is an error
		// where one is called.
		folder.funcs = p.userFunctions(folder)
	}
	set := &ImageSet{Name: "of the patch"}
	for name := range ids {
		set.Images = append(set.Images, &Image{Set: set.Name, Name: name})
	}
	sortImages(set.Images)
	root := &rootDecl{
		folder: folder,
		whole:  true,
		result: &RootDefinition{Name: c.RootDefinition, File: Path{Name: c.File, Range: fileRange(SiteEntry)}, ImageSets: []*ImageSet{set}},
	}
	root.result.images = root.result.Images()
	root.file = p.readRootFile(&root.result.File)
	root.uses = newRootUses(root.file)
	return root
}

// secretTexts lists what must not be shown of the site's values: themselves, and
// what attributes and templates made of them.
func (r *rootFrame) secretTexts() (values, made []string) {
	for _, v := range r.siteVars {
		if text, ok := r.local[v.Name]; ok && v.Sensitive {
			values = appendTexts(values, cty.StringVal(text))
		}
	}
	if r.ctx != nil {
		values = appendSecrets(values, r.ctx.Variables["var"])
	}
	made = longestFirst(slices.Concat(values, r.used))
	return longestFirst(values), made
}

// longSecret is the size in bytes from which on a text that was made of secret
// values is told of as one. Of a map with one secret element all elements are,
// and masking "true" or a port would leave no log readable.
const longSecret = 8

// siteDiagnostics are those of the project without what is secret.
func (p *project) siteDiagnostics(secrets []string) hcl.Diagnostics {
	return sortDiagnostics(redact(p.diags, secrets, newLineMask(p.files, p.diags)))
}
