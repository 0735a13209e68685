package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/lang"
)

// A formatter is one run of fmt.
type formatter struct {
	ui                     *ui
	check, diff, recursive bool
	changed, failed        bool
}

// standardInput is the argument that stands for it.
const standardInput = "-"

func newFmtCommand(a *app) *cobra.Command {
	f := &formatter{ui: a.ui}
	cmd := &cobra.Command{
		Use:   "fmt [FILE|FOLDER|-]...",
		Short: "Lay out configuration files in the usual way",
		Long: "fmt rewrites files *.floto.hcl, *.root.hcl and *.hclvars of the project folder, or those\n" +
			"that are named, in the usual layout, and lists the files that it has changed. With - it\n" +
			"reads stdin and writes stdout. Comments stay. JSON files are left alone.",
		RunE: func(_ *cobra.Command, args []string) error { return f.run(args) },
	}
	cmd.Flags().BoolVar(&f.check, "check", false, "change nothing; exit with 3 where something would change")
	cmd.Flags().BoolVar(&f.diff, "diff", false, "print the changes")
	cmd.Flags().BoolVar(&f.recursive, "recursive", false, "format the folders within, too")
	return cmd
}

func (f *formatter) run(args []string) error {
	if len(args) == 0 {
		args = []string{"."}
	}
	for _, name := range args {
		if err := f.argument(name); err != nil {
			return err
		}
	}
	switch {
	case f.failed:
		return exitError(1)
	case f.changed && f.check:
		return exitError(exitUnformatted)
	}
	return nil
}

func (f *formatter) argument(name string) error {
	if name == standardInput {
		return f.standardInput()
	}
	info, err := os.Stat(name)
	if err != nil {
		return fmt.Errorf("cannot format: %w", err)
	}
	switch {
	case strings.HasSuffix(name, ".json"):
		return fmt.Errorf("cannot format %q: fmt lays out native files, and leaves JSON alone", name)
	case !info.IsDir():
		return f.file(name, info.Mode())
	}
	return filepath.WalkDir(name, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("cannot format the folder %q: %w", name, err)
		case e.IsDir() && path != name && (!f.recursive || strings.HasPrefix(e.Name(), ".")):
			return fs.SkipDir
		case !e.Type().IsRegular() || !isFormatted(e.Name()):
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return fmt.Errorf("cannot format %q: %w", path, err)
		}
		return f.file(path, info.Mode())
	})
}

// isFormatted tells by its name whether a file of a folder is formatted.
func isFormatted(name string) bool {
	for _, suffix := range []string{".floto.hcl", ".root.hcl", ".hclvars"} {
		if strings.HasSuffix(name, suffix) && !strings.HasPrefix(name, ".") {
			return true
		}
	}
	return false
}

func (f *formatter) file(name string, mode fs.FileMode) error {
	src, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("cannot format: %w", err)
	}
	out, err := f.source(src, name)
	if err != nil || out == nil || bytes.Equal(src, out) {
		return err
	}
	f.changed = true
	if !f.diff {
		f.ui.printf("%s\n", safe(name))
	}
	f.printDiff(name, src, out)
	if f.check {
		return nil
	}
	return atomicfile.WriteFile(name, out, mode.Perm())
}

func (f *formatter) standardInput() error {
	src, err := io.ReadAll(f.ui.in)
	if err != nil {
		return fmt.Errorf("cannot read stdin: %w", err)
	}
	out, err := f.source(src, "<stdin>")
	if err != nil || out == nil {
		return err
	}
	f.changed = f.changed || !bytes.Equal(src, out)
	f.printDiff("<stdin>", src, out)
	if !f.check && !f.diff {
		f.ui.printf("%s", out)
	}
	return nil
}

// source formats a source. It gives nil where there are syntax errors, which it
// prints.
func (f *formatter) source(src []byte, name string) ([]byte, error) {
	out, diags := lang.Format(src, name)
	if !diags.HasErrors() {
		return out, nil
	}
	f.failed = true
	files := map[string]*hcl.File{name: {Bytes: src}}
	if strings.HasSuffix(name, ".hclvars") {
		files = nil // a value may be sensitive, which fmt cannot know
	}
	return nil, f.ui.diagnostics(diags, files, false)
}

func (f *formatter) printDiff(name string, before, after []byte) {
	if f.diff {
		f.ui.printf("%s", safe(string(diff.Diff(name, before, name+" (formatted)", after))))
	}
}
