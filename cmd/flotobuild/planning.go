package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/flotobuild/flotobuild/cmd/flotobuild/report"
	"github.com/flotobuild/flotobuild/executor/facts"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

// makePlan compares what the project's sites should have with what they have.
// It prints what is wrong with the configuration, and writes the lock file where
// that changes. Where policies are violated, the plan comes with the error.
func (a *app) makePlan(ctx context.Context, p *project, locking *lockFlags, asJSON bool) (*planner.Plan, error) {
	if asJSON { // load has left the warnings to the command
		if err := a.ui.diagnostics(p.warnings, p.config.Files, false); err != nil {
			return nil, err
		}
	}
	type found struct {
		parents []facts.Parent
		err     error
	}
	parents := make(chan found, 1)
	go func() {
		list, err := p.workspace.Parents(ctx, p.config)
		parents <- found{list, err}
	}()
	want, err := a.resolveAndLock(ctx, p, locking)
	have := <-parents
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := a.planningErrors(p, asJSON, err, have.err); err != nil {
		return nil, err
	}
	if err := a.ui.diagnostics(want.Warnings, p.config.Files, false); err != nil {
		return nil, err
	}
	p.parents = have.parents
	p.signatures = p.workspace.Signatures(ctx, planner.SignatureQueries(p.config, want))
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	want.Restore(p.workspace.Carried(have.parents))
	plan, err := p.diff(want)
	if err := a.planningErrors(p, asJSON, err); err != nil {
		return nil, err
	}
	if err := a.rules(p, plan, asJSON); err != nil {
		return plan, err
	}
	if plan.Project.Dirty {
		a.warnf("the project folder has uncommitted changes; the patches' revision says so: %s", plan.Project.Revision)
	}
	if text := report.Partial(plan); text != "" {
		a.warnf("%s", text)
	}
	return plan, nil
}

// diff compiles the sites' manifests and compares what the sites should have with the parents that were found.
func (p *project) diff(want *planner.Desired) (*planner.Plan, error) {
	descriptions := p.descriptions()
	if diags := planner.Compile(p.config, descriptions, want); diags.HasErrors() {
		return nil, diags
	}
	plan := planner.Diff(descriptions, want)
	plan.ToolVersion = version
	plan.Targets, plan.Excludes = p.selection.Targets, p.selection.Excludes
	plan.ParentArguments = p.parentArgs
	for _, f := range p.parents {
		plan.Bind(f.Site, f.Ref(), p.relative(f.File))
		if f.WithoutLayers {
			plan.BindBare(f.Site, f.Ref().ID)
		}
	}
	p.violations = planner.CheckPolicy(p.config, plan, p.signatures)
	return plan, nil
}

// descriptions are those of the parents that were found.
func (p *project) descriptions() []*patch.Description {
	var out []*patch.Description
	for _, f := range p.parents {
		out = append(out, f.Description)
	}
	return out
}

// recheck reads the inputs again, and fails where they are no longer those of
// the plan: patches would hold something else than their description says. A
// commit meanwhile changes no input.
func (p *project) recheck(ctx context.Context, plan *planner.Plan) error {
	w, err := facts.Open(facts.Options{Dir: p.dir, DataDir: p.dataDir, Opener: p.opener})
	if err != nil {
		return err
	}
	again := *p
	again.workspace = w
	want, err := again.resolve(ctx, planner.Options{})
	if err != nil {
		return fmt.Errorf("cannot read the inputs again after the builds: %w", err)
	}
	want.Restore(w.Carried(p.parents))
	now, err := again.diff(want)
	if err != nil {
		return fmt.Errorf("cannot render the manifests again after the builds: %w", err)
	}
	now.Project = plan.Project
	changed, err := planner.Stale(plan, now)
	if err != nil || len(changed) == 0 {
		return err
	}
	return &hintError{
		fmt.Errorf("cannot use what was built: files changed meanwhile: %s", strings.Join(changed, "; ")),
		"leave the project's files alone during the builds, which are cached now, and plan or apply again",
	}
}

// planningErrors prints those errors that have a place in the configuration,
// and returns an error where there is any.
func (a *app) planningErrors(p *project, asJSON bool, errs ...error) error {
	var diags hcl.Diagnostics
	var others []error
	for _, err := range errs {
		var d hcl.Diagnostics
		var parents planner.ParentErrors
		switch {
		case errors.As(err, &d):
			diags = append(diags, d...)
		case errors.As(err, &parents):
			diags = append(diags, parents.Diagnostics(p.config)...)
		case err != nil:
			others = append(others, err)
		}
	}
	if err := a.report(diags, p.config, asJSON); err != nil && len(others) == 0 {
		return err
	}
	return errors.Join(others...)
}

// relative names a file inside of the project relative to it, with slashes.
func (p *project) relative(file string) string {
	rel, err := filepath.Rel(p.dir, file)
	if err != nil || !filepath.IsLocal(rel) {
		return file
	}
	return filepath.ToSlash(rel)
}
