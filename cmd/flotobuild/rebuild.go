package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/cmd/flotobuild/report"
	"github.com/flotobuild/flotobuild/executor"
	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

// A rebuilt patch is compared with the one that is checked.
type rebuilt struct {
	// DescriptionDigest is that of the description of the patch that the project
	// gives; it covers everything else in it. Empty where it gives none.
	DescriptionDigest digest.Digest `json:"descriptionDigest,omitempty"`
	Differences       []string      `json:"differences,omitempty"`
}

// rebuild builds a patch once more, on the same parents and with the same date,
// in a folder that is removed again.
func (a *app) rebuild(ctx context.Context, file string, flags *variableFlags) (*rebuilt, error) {
	r, err := a.openPatch(file)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	vars, err := flags.read()
	if err != nil {
		return nil, err
	}
	dir, err := projectDir()
	if err != nil {
		return nil, err
	}
	unlock, err := lockProject(ctx, dataDir(dir), "flotobuild verify -rebuild", 0)
	if err != nil {
		return nil, err
	}
	defer unlock()
	p, err := a.load(ctx, vars, false)
	if err != nil {
		return nil, err
	}
	defer a.finish(p)
	if err := p.aim(file, r.Description); err != nil {
		return nil, err
	}
	plan, err := a.makePlan(ctx, p, &lockFlags{mode: readonly, held: true}, false)
	if err != nil {
		return nil, err
	}
	return a.rebuildPlan(ctx, p, plan, r)
}

// aim makes the project's next patch the one that d describes, as far as its
// site and its parents go.
func (p *project) aim(file string, d *patch.Description) error {
	i := slices.IndexFunc(p.config.Sites, func(s *lang.Site) bool { return s.Name == d.SiteName })
	if i < 0 {
		return &hintError{fmt.Errorf("cannot rebuild %q: the project has no site %q", file, d.SiteName), "work in the project that the patch was made from, see -chdir"}
	}
	site := p.config.Sites[i]
	parents, err := parentsOfRebuild(p.opener, file, d)
	if err != nil {
		return err
	}
	if err := setParents(site, parents); err != nil {
		return err
	}
	p.config, err = planner.Select(p.config, planner.Selection{Targets: []string{site.Address()}})
	return err
}

// parentsOfRebuild finds the parents of a patch in its folder.
func parentsOfRebuild(o patch.Opener, file string, d *patch.Description) ([]lang.Parent, error) {
	names := []string{string(lang.ParentNone)}
	if len(d.Flotobuild.Parents) > 0 {
		names = nil
	}
	files, err := o.List(filepath.Dir(file))
	if err != nil {
		return nil, err
	}
	for _, ref := range d.Flotobuild.Parents {
		n := slices.IndexFunc(files, func(f patch.File) bool { return f.Header != nil && f.Header.Ref() == ref })
		if n < 0 {
			return nil, &hintError{fmt.Errorf("cannot rebuild %q: its parent %q is not at hand", file, ref.ID), "lay the parent beside the patch"}
		}
		name, err := filepath.Abs(files[n].Path)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	var out []lang.Parent
	for _, name := range names {
		parent, d := lang.CommandParent(name)
		if d != nil {
			return nil, d
		}
		out = append(out, parent)
	}
	return out, nil
}

func (a *app) rebuildPlan(ctx context.Context, p *project, plan *planner.Plan, r *patch.Reader) (*rebuilt, error) {
	if len(plan.Sites) != 1 || !report.Changes(plan) {
		return &rebuilt{Differences: []string{"the project has nothing that the patch's parent lacks"}}, nil
	}
	a.keep(p)
	dir, err := os.MkdirTemp(p.dataDir, "rebuild-")
	if err != nil {
		return nil, fmt.Errorf("cannot rebuild: %w", err)
	}
	defer os.RemoveAll(dir)
	// What the file is put into is no part of the comparison.
	to := &plan.Sites[0].Patch
	to.Output, to.Encrypt, to.SignKeys, to.VolumeSize, to.Parity = dir, nil, nil, 0, 0
	progress, err := executor.NewProgress(os.Stderr, "auto")
	if err != nil {
		return nil, err
	}
	opts := p.executorOptions(plan)
	opts.Epoch, opts.Progress, opts.PatchesOnly = &r.Description.CreationDate.Time, progress, true
	result, err := executor.Apply(ctx, plan, opts)
	_ = progress.Close() // what could not be shown is not what was asked for
	if err != nil {
		return nil, err
	}
	if len(result.Sites) != 1 || result.Sites[0].File == "" {
		return &rebuilt{Differences: []string{"the project has nothing that the patch's parent lacks"}}, nil
	}
	again, err := patch.Open(result.Sites[0].File)
	if err != nil {
		return nil, err
	}
	defer again.Close()
	return compareRebuilt(r, again), nil
}

// showRebuilt prints whether the project gives the same patch.
func (a *app) showRebuilt(v verification) {
	if len(v.Rebuilt.Differences) == 0 {
		a.ui.printf("  rebuilt: the project gives the same description, %s\n", v.Rebuilt.DescriptionDigest)
		return
	}
	a.ui.printf("  rebuilt: the project gives another patch\n")
	for _, d := range v.Rebuilt.Differences {
		a.ui.errorf("%s: rebuilt: %s", v.File, d)
	}
}
