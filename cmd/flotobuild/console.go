package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/flotobuild/flotobuild/executor/facts"
	"github.com/flotobuild/flotobuild/lang"
)

func newConsoleCommand(a *app) *cobra.Command {
	var vars variableFlags
	cmd := &cobra.Command{
		Use:   "console",
		Short: "Evaluate expressions in the configuration",
		Long: "console reads expressions, one a line, and prints their values. Sensitive values are masked.\n" +
			"On a terminal the arrow keys bring back earlier lines; exit or Ctrl-D ends it.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			options, err := vars.read()
			if err != nil {
				return err
			}
			return a.console(cmd.Context(), options)
		},
	}
	vars.define(cmd)
	return cmd
}

func (a *app) console(ctx context.Context, vars []lang.VarOption) error {
	dir, err := projectDir()
	if err != nil {
		return err
	}
	w, err := facts.Open(facts.Options{Dir: dir})
	if err != nil {
		return err
	}
	p := &project{dir: dir, dataDir: dataDir(dir), workspace: w}
	defer a.keep(p)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("cannot open the project folder: %w", err)
	}
	defer root.Close()
	c, cfg, diags := lang.NewConsole(root.FS(), p.options(ctx, vars))
	p.config = cfg
	if err := a.ui.diagnostics(diags, cfg.Files, false); err != nil {
		return err
	}
	return a.evaluateLines(c, cfg, a.lines())
}

// evaluateLines prints the value of each line. A line in error makes the exit
// code 1, unless a person sits at the terminal.
func (a *app) evaluateLines(c *lang.Console, cfg *lang.Config, next func() (string, error)) error {
	failed := false
	for {
		line, err := next()
		line = strings.TrimSpace(line)
		if line == "exit" || errors.Is(err, io.EOF) && line == "" {
			break
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("cannot read an expression: %w", err)
		}
		if line == "" {
			continue
		}
		text, diags := c.Evaluate(line)
		if diags.HasErrors() {
			failed = true
			if err := a.ui.diagnostics(diags, cfg.Files, false); err != nil {
				return err
			}
			continue
		}
		a.ui.printf("%s\n", safe(text))
	}
	if failed && !isTerminal(a.ui.in) {
		return exitError(1)
	}
	return nil
}

// lines reads lines from a terminal with editing and history, or from anything
// else as they are. While an expression is evaluated the terminal is as before.
func (a *app) lines() func() (string, error) {
	if !isTerminal(a.ui.in) {
		r := bufio.NewReader(a.ui.in)
		return func() (string, error) { return r.ReadString('\n') }
	}
	t := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{a.ui.in, a.ui.err}, "> ")
	fd := int(a.ui.in.Fd())
	return func() (string, error) {
		state, err := term.MakeRaw(fd)
		if err != nil {
			return "", err
		}
		defer func() { _ = term.Restore(fd, state) }()
		return t.ReadLine()
	}
}
