package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"github.com/flotobuild/flotobuild/executor/facts"
	"github.com/flotobuild/flotobuild/planner"
)

// dataDir gives the folder of flotobuild's own files.
func dataDir(dir string) string {
	name := os.Getenv("FLOTOBUILD_DATA_DIR")
	if name == "" {
		name = planner.DataDir
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	return filepath.Clean(name)
}

// makeDataDir creates the data folder, which git is told to ignore.
func makeDataDir(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	name := filepath.Join(dir, ".gitignore")
	if _, err := os.Lstat(name); err == nil {
		return nil
	}
	return os.WriteFile(name, []byte("*\n"), 0o666)
}

// facts gives the facts of the project. A data folder of another name inside
// the project does not travel either.
func (p *project) facts() planner.Facts {
	rel, err := filepath.Rel(p.dir, p.dataDir)
	if err != nil || !filepath.IsLocal(rel) || rel == "." {
		return p.workspace
	}
	return &withoutData{Workspace: p.workspace, dir: filepath.ToSlash(rel)}
}

// withoutData are the facts of a project less the data folder.
type withoutData struct {
	*facts.Workspace
	dir string
}

// Project implements planner.Facts.
func (w *withoutData) Project(ctx context.Context, omit []string) (planner.Project, error) {
	return w.Workspace.Project(ctx, append(slices.Clone(omit), w.dir))
}

// Conf implements planner.Facts.
func (w *withoutData) Conf(ctx context.Context, q planner.ConfQuery) ([]planner.File, error) {
	q.Omit = append(slices.Clone(q.Omit), w.dir)
	return w.Workspace.Conf(ctx, q)
}
