package main

import (
	"io"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/flotobuild/flotobuild/patch"
)

// cmdEntry prints an entry of a patch file.
func cmdEntry(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "entry FILE NAME")
	p, err := patch.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	defer p.Close()
	r, err := p.Open(args[1])
	ts.Check(err)
	defer r.Close()
	_, err = io.Copy(ts.Stdout(), r)
	ts.Check(err)
}
