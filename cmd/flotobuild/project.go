package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/flotobuild/flotobuild/executor"
	"github.com/flotobuild/flotobuild/executor/facts"
	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

// A project is the loaded project folder.
type project struct {
	dir       string // absolute, links resolved
	dataDir   string // absolute
	config    *lang.Config
	warnings  hcl.Diagnostics
	workspace *facts.Workspace
	opener    patch.Opener
	root      *os.Root       // what config reads templates from
	parents   []facts.Parent // once a plan was made

	lock         *lang.Lock // what the lock file says
	lockProblems hcl.Diagnostics
	selection    planner.Selection
	digestKey    []byte             // of envelopes, once it is needed
	parentArgs   []string           // values of -parent
	own          []string           // files that this command writes, or that say what it does
	signatures   planner.Signatures // of other people's images, once a plan was made
	violations   hcl.Diagnostics    // of policies, by the latest plan
	outputs      executor.Outputs   // the output folders as they were before the plan was made; apply only
}

// projectDir gives the folder that commands work in, absolute and with links
// resolved, as packages compare paths.
func projectDir() (string, error) {
	dir, err := os.Getwd()
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return "", fmt.Errorf("cannot find the project folder: %w", err)
	}
	return dir, nil
}

// load reads the configuration of the project folder and prints what is wrong
// with it. The caller calls finish in the end.
func (a *app) load(ctx context.Context, vars []lang.VarOption, asJSON bool) (*project, error) {
	dir, err := projectDir()
	if err != nil {
		return nil, err
	}
	o, err := a.opener()
	if err != nil {
		return nil, err
	}
	w, err := facts.Open(facts.Options{Dir: dir, DataDir: dataDir(dir), Opener: o, Trust: a.trustedParent()})
	if err != nil {
		return nil, err
	}
	p := &project{dir: dir, dataDir: dataDir(dir), workspace: w, opener: o, own: a.own}
	p.warnings, err = p.read(ctx, vars)
	if err == nil {
		err = a.report(p.warnings, p.config, asJSON)
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// keep writes down what was learnt about the project's files.
func (a *app) keep(p *project) {
	if err := p.workspace.Close(); err != nil {
		a.ui.warnf("the next plan has to read all files again: %v", err)
	}
}

// finish keeps what was learnt, and closes the project folder.
func (a *app) finish(p *project) {
	a.keep(p)
	p.root.Close()
}

func (p *project) read(ctx context.Context, vars []lang.VarOption) (hcl.Diagnostics, error) {
	var err error
	p.root, err = os.OpenRoot(p.dir)
	if err != nil {
		return nil, fmt.Errorf("cannot open the project folder: %w", err)
	}
	var diags hcl.Diagnostics
	p.config, diags = lang.Load(p.root.FS(), p.options(ctx, vars))
	p.readLock()
	return diags, nil
}

// options are what the configuration depends on besides its files.
func (p *project) options(ctx context.Context, vars []lang.VarOption) lang.Options {
	return lang.Options{
		ToolVersion: version,
		Environ:     os.Environ(),
		Vars:        vars,
		Git:         func() (lang.Git, error) { return p.git(ctx) },
	}
}

// git gives the state of the work tree to the configuration.
func (p *project) git(ctx context.Context) (lang.Git, error) {
	state, err := p.facts().Project(ctx, nil)
	if err != nil {
		return lang.Git{}, err
	}
	if state.Revision == "" {
		return lang.Git{}, errors.New("the project folder is not under git, or nothing is committed yet")
	}
	cmd := exec.CommandContext(ctx, "git", "rev-parse", "HEAD")
	cmd.Dir = p.dir
	commit, err := cmd.Output()
	if err != nil {
		return lang.Git{}, fmt.Errorf("cannot run git rev-parse: %w", err)
	}
	return lang.Git{
		Describe:  state.Revision,
		Commit:    strings.TrimSpace(string(commit)),
		Timestamp: state.Timestamp,
		Dirty:     state.Dirty,
	}, nil
}

// report prints diagnostics; the error says that there are errors among them.
// For JSON, warnings alone are left to the command.
func (a *app) report(diags hcl.Diagnostics, cfg *lang.Config, asJSON bool) error {
	if asJSON && !diags.HasErrors() {
		return nil
	}
	if err := a.ui.diagnostics(diags, cfg.Files, asJSON); err != nil {
		return err
	}
	if err := a.events.diagnostics(diags, cfg.Files); err != nil {
		return err
	}
	if diags.HasErrors() {
		return exitError(1)
	}
	return nil
}
