package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/cmd/flotobuild/report"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/volume"
	"github.com/flotobuild/flotobuild/planner"
)

// showFlags are the flags of show.
type showFlags struct {
	telling tellingFlags
	asJSON  bool
	html    string
}

func newShowCommand(a *app) *cobra.Command {
	var f showFlags
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "Show what a patch file, a saved plan or a receipt is and holds",
		Long: "show prints the description of a patch file. Its content is not checked, verify does that.\n" +
			"Of a plan that plan -out has saved it prints what plan did, and not whether it still holds.",
		Args: oneFile,
		RunE: func(_ *cobra.Command, args []string) error {
			if looksLikePlan(args[0]) {
				return a.showSaved(args[0], &f)
			}
			if f.html != "" {
				return &hintError{errors.New("cannot write the page of a patch: -html is for saved plans"), "a saved plan is made by: flotobuild plan -out=FILE"}
			}
			if looksLikeReceipt(args[0]) {
				return a.showReceipt(args[0], f.asJSON)
			}
			old, err := openLegacy(args[0])
			if err != nil {
				return err
			}
			if old != nil {
				defer old.Close()
				a.showLegacy(old, f.asJSON)
				return nil
			}
			p, err := a.openPatch(args[0])
			if err != nil {
				return err
			}
			defer p.Close()
			if f.asJSON {
				a.ui.printJSON(p.Raw())
				return nil
			}
			d := &descriptionRenderer{patch: p}
			a.ui.printf("%s", safe(d.render()))
			return nil
		},
	}
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print the description, the saved plan or the receipt as the file has it")
	cmd.Flags().StringVar(&f.html, "html", "", "write the saved plan to `FILE` as a page for browsers")
	f.telling.define(cmd)
	return cmd
}

// showSaved prints a plan file.
func (a *app) showSaved(name string, f *showFlags) error {
	if err := f.telling.check(); err != nil {
		return err
	}
	if f.html != "" {
		if err := checkOut("html", f.html, report.LooksLikePage); err != nil {
			return err
		}
	}
	saved, err := openPlan(name)
	if err != nil {
		return err
	}
	if f.html != "" {
		if err := writePage(f.html, saved.Plan, saved.Variables); err != nil {
			return err
		}
	}
	if f.asJSON {
		b, err := planner.EncodeFile(saved.Plan, saved.Variables)
		if err != nil {
			return err
		}
		a.ui.printJSON(b)
		return nil
	}
	if text := report.Partial(saved.Plan); text != "" {
		a.warnf("%s", text)
	}
	a.showPlan(saved.Plan, saved.Variables, f.telling.level())
	return nil
}

// oneFile demands exactly one argument.
func oneFile(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return &hintError{fmt.Errorf("%s takes one file, not %d", cmd.Name(), len(args)), "usage: " + cmd.UseLine()}
}

// A patchOpener opens patch files as openPatch does.
type patchOpener struct{ a *app }

// Open implements relate.Opener.
func (p patchOpener) Open(name string) (*patch.Reader, error) { return p.a.openPatch(name) }

// List implements relate.Opener.
func (p patchOpener) List(dir string) ([]patch.File, error) {
	o, err := p.a.opener()
	if err != nil {
		return nil, err
	}
	return o.List(dir)
}

// openPatch opens a patch file that the user named, in whatever form it is.
func (a *app) openPatch(name string) (*patch.Reader, error) {
	o, err := a.opener()
	if err != nil {
		return nil, err
	}
	p, err := o.Open(name)
	if info, serr := os.Stat(name); errors.Is(err, volume.ErrNone) && serr == nil && info.IsDir() {
		return nil, &hintError{fmt.Errorf("cannot open patch %q: it is a folder", name), "name a file *" + patch.Extension}
	}
	return p, withKeyHint(err)
}
