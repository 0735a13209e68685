// Command sh is package shell as a program.
package main

import (
	"context"
	"os"

	"github.com/flotobuild/flotobuild/tools/shell"
)

func main() {
	stdio := shell.Stdio{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}
	os.Exit(shell.Main(context.Background(), stdio, os.Args))
}
