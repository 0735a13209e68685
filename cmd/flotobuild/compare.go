package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/relate"
)

// diffFlags are the flags of diff.
type diffFlags struct {
	stat, nameOnly, asJSON, detailedExitCode bool
}

func newDiffCommand(a *app) *cobra.Command {
	var f diffFlags
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Compare the releases of two patches",
		Long: "diff compares what a site has with patch A and with patch B, of one site or of two: images\n" +
			"and their layers, conf, documents, manifest and envelopes, line by line where they are\n" +
			"text. What the files carry does not count, nor do ids, dates and parents.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return &hintError{fmt.Errorf("diff takes two patch files, not %d", len(args)), "usage: flotobuild diff A B"}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.diff(args[0], args[1], &f) },
	}
	cmd.Flags().BoolVar(&f.stat, "stat", false, "count lines instead of showing them")
	cmd.Flags().BoolVar(&f.nameOnly, "name-only", false, "print only the names of images and files that differ")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&f.detailedExitCode, "detailed-exitcode", false, "exit with 2 where there are differences")
	cmd.MarkFlagsMutuallyExclusive("stat", "name-only", "json")
	return cmd
}

func (a *app) diff(from, to string, f *diffFlags) error {
	x, err := a.openPatch(from)
	if err != nil {
		return err
	}
	defer x.Close()
	y, err := a.openPatch(to)
	if err != nil {
		return err
	}
	defer y.Close()
	d := patch.Diff(&x.Header, &y.Header)
	if err := a.showDifference(x, y, d, f); err != nil {
		return err
	}
	if f.detailedExitCode && !d.Equal() {
		return exitError(exitChanges)
	}
	return nil
}

func (a *app) showDifference(x, y *patch.Reader, d *patch.Difference, f *diffFlags) error {
	r := &differenceRenderer{color: a.ui.colorOut, terminal: isTerminal(a.ui.out)}
	switch {
	case f.asJSON:
		b, err := json.MarshalIndent(d, "", "  ")
		if err != nil {
			return err
		}
		a.ui.printJSON(b)
		return nil
	case f.nameOnly:
		r.names(d)
		a.ui.printf("%s", safe(r.b.String()))
		return nil
	}
	r.summary(d)
	a.ui.printf("%s", r.b.String())
	for _, file := range d.Files {
		t, err := relate.Compare(x, y, file)
		if err != nil {
			return err
		}
		r.b.Reset()
		r.file(file, t, f.stat)
		a.ui.printf("%s", r.b.String())
	}
	return nil
}
