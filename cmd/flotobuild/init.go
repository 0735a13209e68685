package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// skeleton is the project that init writes. A file named gitignore becomes
// .gitignore, which would otherwise work in flotobuild's own sources.
//
//go:embed skeleton
var skeleton embed.FS

func newInitCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "init [DIR]",
		Short: "Write a small project that applies as it is",
		Args:  oneFolder,
		RunE: func(_ *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			files, err := writeSkeleton(dir)
			if err != nil {
				return err
			}
			a.ui.printf("Wrote a project:\n")
			for _, f := range files {
				a.ui.printf("  %s\n", filepath.Join(dir, f))
			}
			a.nextSteps(dir)
			return nil
		},
	}
}

func (a *app) nextSteps(dir string) {
	if os.Getenv("FLOTOBUILD_IN_AUTOMATION") != "" {
		return
	}
	at := ""
	if filepath.Clean(dir) != "." {
		at = fmt.Sprintf("-chdir=%s ", dir)
	}
	a.ui.notef("\nNext: flotobuild %splan, then flotobuild %sapply", at, at)
}

// writeSkeleton writes the project to dir and lists its files. It overwrites
// nothing; after a failure it takes back what it wrote.
func writeSkeleton(dir string) (files []string, err error) {
	contents := make(map[string][]byte)
	err = fs.WalkDir(skeleton, "skeleton", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := skeleton.ReadFile(name)
		name = strings.TrimPrefix(name, "skeleton/")
		if name == "gitignore" {
			name = ".gitignore"
		}
		files = append(files, filepath.FromSlash(name))
		contents[filepath.FromSlash(name)] = b
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	if err := refuseExisting(dir, files); err != nil {
		return nil, err
	}
	var made []string // in the order of making
	defer func() {
		if err != nil {
			for n := len(made) - 1; n >= 0; n-- {
				os.Remove(made[n])
			}
		}
	}()
	for _, f := range files {
		if err := makeFolders(filepath.Dir(filepath.Join(dir, f)), &made); err != nil {
			return nil, fmt.Errorf("cannot write the project: %w", err)
		}
		if err := writeNew(filepath.Join(dir, f), contents[f], &made); err != nil {
			return nil, fmt.Errorf("cannot write the project: %w", err)
		}
	}
	return files, nil
}

// refuseExisting lists files that are there already, and configurations, which
// a further one would disturb.
func refuseExisting(dir string, files []string) error {
	var there []string
	for _, f := range files {
		if _, err := os.Lstat(filepath.Join(dir, f)); err == nil {
			there = append(there, filepath.Join(dir, f))
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot write the project: %w", err)
	}
	for _, e := range entries {
		name := e.Name()
		if name != "project.floto.hcl" && (strings.HasSuffix(name, ".floto.hcl") || strings.HasSuffix(name, ".floto.hcl.json")) {
			there = append(there, filepath.Join(dir, name))
		}
	}
	if len(there) == 0 {
		return nil
	}
	return &hintError{
		fmt.Errorf("cannot write the project: these files exist already:\n  %s", strings.Join(there, "\n  ")),
		"nothing was written; name an empty folder: flotobuild init DIR",
	}
}

// makeFolders makes dir with its parents and notes those that are new.
func makeFolders(dir string, made *[]string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if parent := filepath.Dir(dir); parent != dir {
		if err := makeFolders(parent, made); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o777); err != nil {
		return err
	}
	*made = append(*made, dir)
	return nil
}

// writeNew writes a file that must not exist yet.
func writeNew(name string, content []byte, made *[]string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	*made = append(*made, name)
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}

// oneFolder refuses more than one folder.
func oneFolder(_ *cobra.Command, args []string) error {
	if len(args) <= 1 {
		return nil
	}
	return &hintError{fmt.Errorf("init makes one project, not %d", len(args)), "usage: flotobuild init [DIR]"}
}
