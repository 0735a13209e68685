// Command flotobuild builds patch files for container systems at sites without
// a network. It wires the project's packages together, prints, and chooses the
// exit code: 0 for success, 1 for an error, 2 for changes with
// -detailed-exitcode, 3 for files that fmt -check would change, 130 when
// interrupted.
package main

import "os"

func main() { os.Exit(run(os.Args[1:])) }

// run carries out one command line and returns the exit code.
func run(args []string) int {
	a := &app{ui: newUI(os.Stdin, os.Stdout, os.Stderr, os.Getenv)}
	ctx, stop := interruptible(a.ui)
	defer stop()
	root := newRootCommand(a)
	args, err := commandLine(root, args, os.LookupEnv)
	if err == nil {
		root.SetArgs(args)
		err = root.ExecuteContext(ctx)
	}
	return a.exitCode(ctx, err)
}
