package lang

import (
	"io/fs"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty/function"
)

// Load reads and evaluates the configuration in the root folder of fsys, which
// is the project folder. All diagnostics are returned, not only the first; with
// errors among them the Config holds what could be understood, and serves to
// show diagnostics and to complete names, not to build from.
//
// fsys decides what a symbolic link may reach: hand over an os.Root's FS to keep
// the configuration inside of the project folder.
func Load(fsys fs.FS, opts Options) (*Config, hcl.Diagnostics) {
	p := &project{fsys: fsys, opts: opts, files: make(map[string]*hcl.File)}
	blocks := p.readConfiguration()
	inputs := p.readInputs()
	s := newScope(p, blocks, inputs)
	s.evaluateAll()
	cfg := s.config()
	p.checkSites(cfg)
	return cfg, p.finish(s)
}

// A project is one run of Load: what its scopes share.
type project struct {
	fsys      fs.FS
	opts      Options
	files     map[string]*hcl.File
	roots     map[string]*rootFile     // parsed root definition files by name
	templates map[string]*templateFile // parsed templates of root definitions by name
	git       *gitState
	funcs     map[string]map[string]function.Function // by folder; never changed once made
	diags     hcl.Diagnostics
}

func (p *project) report(diags ...*hcl.Diagnostic) {
	p.diags = append(p.diags, diags...)
}

// finish puts the diagnostics into their final form: sorted by place, each once,
// and free of sensitive values.
func (p *project) finish(s *scope) hcl.Diagnostics {
	diags := redact(p.diags, s.secrets(), newLineMask(p.files, p.diags))
	return sortDiagnostics(diags)
}
