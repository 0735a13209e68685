package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdShuffled copies a folder in another order than the file system or the
// alphabet has, with new times, so that nothing but names, modes and content
// stays.
func cmdShuffled(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "shuffled FROM TO")
	from, to := ts.MkAbs(args[0]), ts.MkAbs(args[1])
	var files []string
	ts.Check(filepath.WalkDir(from, func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			files = append(files, name)
		}
		return err
	}))
	slices.Reverse(files)
	for _, name := range files {
		rel, err := filepath.Rel(from, name)
		ts.Check(err)
		target := filepath.Join(to, rel)
		ts.Check(os.MkdirAll(filepath.Dir(target), 0o755))
		b, err := os.ReadFile(name)
		ts.Check(err)
		info, err := os.Stat(name)
		ts.Check(err)
		ts.Check(os.WriteFile(target, b, 0o644))
		ts.Check(os.Chmod(target, info.Mode()))
	}
}
