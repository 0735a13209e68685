package main

import (
	"context"
	"fmt"
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

// isFolder fails where dir is no folder.
func isFolder(dir string) error {
	st, err := os.Stat(dir)
	if err == nil && !st.IsDir() {
		err = fmt.Errorf("%q is no folder", dir)
	}
	return err
}

// ownFile notes a file that is no part of the project, although it may stand in
// its folder. The folder of the file exists.
func (a *app) ownFile(name string) error {
	full, err := filepath.Abs(name)
	if err != nil {
		return err
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(full))
	if err != nil {
		return fmt.Errorf("cannot find the folder of %q: %w", name, err)
	}
	a.own = append(a.own, filepath.Join(dir, filepath.Base(full)))
	return nil
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
// the project does not travel either, nor does a file there that this command
// writes its output to: it changes all the time.
func (p *project) facts() planner.Facts {
	var omit []string
	for _, name := range slices.Concat(outputFiles(), p.own, []string{p.dataDir}) {
		rel, err := filepath.Rel(p.dir, name)
		if err == nil && filepath.IsLocal(rel) && rel != "." {
			omit = append(omit, filepath.ToSlash(rel))
		}
	}
	return &withoutData{Workspace: p.workspace, omit: omit}
}

// outputFiles names the files that stdout and stderr go to, on systems that
// tell.
func outputFiles() []string {
	var names []string
	for _, f := range []*os.File{os.Stdout, os.Stderr} {
		if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
			continue
		}
		if name, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", f.Fd())); err == nil {
			names = append(names, name)
		}
	}
	return names
}

// withoutData are the facts of a project less what flotobuild itself writes.
type withoutData struct {
	*facts.Workspace
	omit []string
}

// Project implements planner.Facts.
func (w *withoutData) Project(ctx context.Context, omit []string) (planner.Project, error) {
	return w.Workspace.Project(ctx, append(slices.Clone(omit), w.omit...))
}

// Conf implements planner.Facts.
func (w *withoutData) Conf(ctx context.Context, q planner.ConfQuery) ([]planner.File, error) {
	q.Omit = append(slices.Clone(q.Omit), w.omit...)
	return w.Workspace.Conf(ctx, q)
}
