package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/patch"
)

func newShowCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "Show what a patch file is and holds",
		Long:  "show prints the description of a patch file. Its content is not checked, verify does that.",
		Args:  oneFile,
		RunE: func(_ *cobra.Command, args []string) error {
			p, err := a.openPatch(args[0])
			if err != nil {
				return err
			}
			defer p.Close()
			if asJSON {
				a.ui.printJSON(p.Raw())
				return nil
			}
			d := &descriptionRenderer{patch: p}
			a.ui.printf("%s", safe(d.render()))
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the description as the file has it")
	return cmd
}

// oneFile demands exactly one argument.
func oneFile(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return &hintError{fmt.Errorf("%s takes one patch file, not %d", cmd.Name(), len(args)), "usage: " + cmd.UseLine()}
}

// openPatch opens a patch file that the user named, in whatever form it is.
func (a *app) openPatch(name string) (*patch.Reader, error) {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return nil, &hintError{fmt.Errorf("cannot open patch %q: it is a folder", name), "name a file *" + patch.Extension}
	}
	o, err := a.opener()
	if err != nil {
		return nil, err
	}
	p, err := o.Open(name)
	return p, withKeyHint(err)
}
