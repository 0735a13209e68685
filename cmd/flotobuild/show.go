package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/cmd/flotobuild/report"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/sign"
	"github.com/flotobuild/flotobuild/patch/volume"
	"github.com/flotobuild/flotobuild/planner"
)

// showFlags are the flags of show.
type showFlags struct {
	telling tellingFlags
	trust   trustFlags
	asJSON  bool
	html    string
}

func newShowCommand(a *app) *cobra.Command {
	var f showFlags
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "Show what a patch file, a saved plan or a receipt is and holds",
		Long: "show prints the description of a patch file. Its content is not checked, verify does that;\n" +
			"with -trust or -key, a patch or receipt that is not signed as they demand is refused.\n" +
			"Of a plan that plan -out has saved it prints what plan did, and not whether it still holds.",
		Args: oneFile,
		RunE: func(_ *cobra.Command, args []string) error { return a.show(args[0], &f) },
	}
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print the description, the saved plan or the receipt as the file has it")
	cmd.Flags().StringVar(&f.html, "html", "", "write the saved plan to `FILE` as a page for browsers")
	f.telling.define(cmd)
	f.trust.define(cmd)
	return cmd
}

func (a *app) show(name string, f *showFlags) error {
	policy, err := f.trust.read()
	switch {
	case err != nil:
		return err
	case looksLikePlan(name) && policy != nil:
		return fmt.Errorf("cannot check the signatures of %q: saved plans have none", name)
	case looksLikePlan(name):
		return a.showSaved(name, f)
	case f.html != "":
		return &hintError{errors.New("cannot write the page of a patch: -html is for saved plans"), "a saved plan is made by: flotobuild plan -out=FILE"}
	case looksLikeReceipt(name):
		return a.showReceipt(name, f.asJSON, policy)
	}
	old, err := openLegacy(name)
	if err != nil {
		return err
	}
	if old == nil {
		return a.showPatch(name, f.asJSON, policy)
	}
	defer old.Close()
	if policy != nil {
		return fmt.Errorf("cannot check the signatures of %q: patches of floto itself have none", name)
	}
	a.showLegacy(old, f.asJSON)
	return nil
}

// showPatch prints a description; with a policy, one that is signed as that
// demands.
func (a *app) showPatch(name string, asJSON bool, policy *sign.Policy) error {
	p, err := a.openPatch(name)
	if err != nil {
		return err
	}
	defer p.Close()
	d := &descriptionRenderer{patch: p}
	if policy != nil {
		if d.verdict, err = checkTrust(p, policy); err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
	}
	if asJSON {
		a.ui.printJSON(p.Raw())
		return nil
	}
	a.ui.printf("%s", safe(d.render()))
	return nil
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
