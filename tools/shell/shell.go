// Package shell is a small POSIX shell with the commands that a Dockerfile's
// RUN steps need most, all in one process. It is the whole of the root file
// system that tests and examples build on, so that they need no download.
package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

// exitUsage is what shells return for bad arguments and syntax errors.
const exitUsage = 2

// Stdio is the standard streams of a shell.
type Stdio struct {
	In       io.Reader
	Out, Err io.Writer
}

// Main is a whole process and returns its exit code. Called as sh it takes
// sh's arguments: -c COMMAND, a script file, or a script on standard input.
// Called by one of Names, as a link is, it runs that command alone.
func Main(ctx context.Context, s Stdio, argv []string) int {
	name := strings.TrimPrefix(filepath.Base(argv[0]), "-")
	if slices.Contains(Names(), name) {
		params := append([]string{"--", name}, argv[1:]...)
		return interpret(ctx, s, strings.NewReader(`"$@"`), name, params)
	}
	return shell(ctx, s, argv)
}

// shell runs what sh's arguments ask for.
func shell(ctx context.Context, s Stdio, argv []string) int {
	options, isCommand, rest := splitOptions(argv[1:])
	name, src := argv[0], s.In
	switch {
	case isCommand && len(rest) == 0:
		fmt.Fprintln(s.Err, "sh: -c needs a command")
		return exitUsage
	case isCommand:
		src, rest = strings.NewReader(rest[0]), rest[1:]
		if len(rest) > 0 {
			name, rest = rest[0], rest[1:]
		}
	case len(rest) > 0:
		f, err := os.Open(rest[0])
		if err != nil {
			fmt.Fprintf(s.Err, "sh: %v\n", err)
			return 127
		}
		defer f.Close()
		name, src, rest = rest[0], f, rest[1:]
	}
	return interpret(ctx, s, src, name, append(append(options, "--"), rest...))
}

// splitOptions separates the shell's options from its operands. An option
// word loses the letter c, which set does not know, and i, l and s, which make
// no difference here.
func splitOptions(args []string) (options []string, isCommand bool, rest []string) {
	for len(args) > 0 {
		word := args[0]
		if len(word) < 2 || word[0] != '-' && word[0] != '+' {
			break
		}
		args = args[1:]
		if word == "--" {
			break
		}
		isCommand = isCommand || word[0] == '-' && strings.Contains(word, "c")
		letters := strings.NewReplacer("c", "", "i", "", "l", "", "s", "").Replace(word[1:])
		if letters == "" {
			continue
		}
		options = append(options, word[:1]+letters)
		if strings.HasSuffix(letters, "o") && len(args) > 0 {
			options, args = append(options, args[0]), args[1:]
		}
	}
	return options, isCommand, args
}

// interpret parses a script and runs it with the parameters, in the form that
// set takes them. It returns the exit code.
func interpret(ctx context.Context, s Stdio, src io.Reader, name string, params []string) int {
	prog, err := syntax.NewParser().Parse(src, name)
	if err != nil {
		fmt.Fprintf(s.Err, "sh: %v\n", err)
		return exitUsage
	}
	runner, err := interp.New(
		interp.StdIO(s.In, s.Out, s.Err),
		interp.Params(params...),
		interp.ExecHandlers(execCommand),
	)
	if err != nil {
		fmt.Fprintf(s.Err, "sh: %v\n", err)
		return exitUsage
	}
	err = runner.Run(ctx, prog)
	var status interp.ExitStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	default:
		fmt.Fprintf(s.Err, "sh: %v\n", err)
		return 1
	}
}
