package lang

import (
	"io/fs"

	"github.com/hashicorp/hcl/v2"
)

// Load reads and evaluates the configuration in the root folder of fsys, which
// is the project folder. All diagnostics are returned, not only the first; with
// errors among them the Config holds what could be understood, and serves to
// show diagnostics and to complete names, not to build from.
//
// fsys decides what a symbolic link may reach: hand over an os.Root's FS to keep
// the configuration inside of the project folder.
func Load(fsys fs.FS, opts Options) (*Config, hcl.Diagnostics) {
	a := Analyze(fsys, opts)
	return a.Config, a.Diagnostics
}

// A project is one run of Load: what its scopes share.
type project struct {
	fsys      fs.FS
	opts      Options
	files     map[string]*hcl.File
	roots     map[string]*rootFile     // parsed root definition files by name
	templates map[string]*templateFile // parsed templates of root definitions by name
	git       *gitState
	diags     hcl.Diagnostics

	folders map[string]*folder // by path
	meter   *meter
	calls   []string // user functions under way
}

func newProject(fsys fs.FS, opts Options) *project {
	return &project{
		fsys:    fsys,
		opts:    opts,
		files:   make(map[string]*hcl.File),
		folders: make(map[string]*folder),
		meter:   newMeter(opts),
	}
}

// evaluate reads the project's files and evaluates everything in them.
func (p *project) evaluate() *scope {
	root, diags := p.folder(".")
	p.report(diags...)
	s := newScope(p, newResults(), root, nil)
	s.assign(p.readInputs())
	s.evaluateAll()
	return s
}

func (p *project) report(diags ...*hcl.Diagnostic) {
	p.diags = append(p.diags, diags...)
}

// finish puts the diagnostics into their final form: sorted by place, each once,
// and free of sensitive values.
func (p *project) finish(r *results) hcl.Diagnostics {
	diags := redact(p.diags, r.secrets(), newLineMask(p.files, p.diags))
	return sortDiagnostics(diags)
}
