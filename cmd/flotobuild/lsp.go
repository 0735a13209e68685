package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/executor/facts"
	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/lang/lsp"
)

// editDelay is how long after a change in an editor the project is evaluated.
const editDelay = 200 * time.Millisecond

func newLSPCommand(a *app) *cobra.Command {
	var vars variableFlags
	cmd := &cobra.Command{
		Use:   "lsp",
		Short: "Serve an editor that speaks the Language Server Protocol",
		Long: "lsp speaks the Language Server Protocol on stdin and stdout: diagnostics, completion, hover, go to\n" +
			"definition, symbols and formatting. The project folder is the one that -chdir names, or else the one\n" +
			"that the editor opens. docs/editors.md says how editors start it.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			options, err := vars.read()
			if err != nil {
				return err
			}
			return a.serveEditor(cmd.Context(), options)
		},
	}
	vars.define(cmd)
	cmd.Flags().Bool("stdio", false, "changes nothing; some editors add it")
	return cmd
}

func (a *app) serveEditor(ctx context.Context, vars []lang.VarOption) error {
	current, err := projectDir()
	if err != nil {
		return err
	}
	var opened *project
	opts := lsp.Options{
		Default: filepath.ToSlash(current),
		Version: version,
		Delay:   editDelay,
		Resolve: func(name string) string {
			if real, err := filepath.EvalSymlinks(name); err == nil {
				return filepath.ToSlash(real)
			}
			return name // a file that was never saved
		},
		Open: func(dir string) (fs.FS, lang.Options, error) {
			var err error
			opened, err = openEdited(dir)
			if err != nil {
				return nil, lang.Options{}, err
			}
			return opened.root.FS(), opened.options(ctx, vars), nil
		},
	}
	if a.chdir != "" {
		opts.Dir = opts.Default
	}
	err = lsp.Serve(ctx, a.ui.in, a.ui.out, opts)
	if opened != nil {
		a.finish(opened)
	}
	return err
}

// openEdited opens the folder that an editor works in.
func openEdited(dir string) (*project, error) {
	w, err := facts.Open(facts.Options{Dir: dir})
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot open the project folder: %w", err)
	}
	return &project{dir: dir, dataDir: dataDir(dir), workspace: w, root: root}, nil
}
