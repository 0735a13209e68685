package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/site"
)

func newSiteReceiptCommand(a *app, f *siteFlags) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "receipt",
		Short: "Write what a site really has, as a parent for plans",
		Long: "receipt writes a small file that says which patch is active and which images the site has.\n" +
			"Where patches are made, plan -parent and apply -parent take it in place of the patch file.",
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error { return a.siteReceipt(f, out) },
	}
	cmd.Flags().StringVar(&out, "out", "", "write to `FILE` (default stdout)")
	return cmd
}

func (a *app) siteReceipt(f *siteFlags, out string) error {
	s, err := f.open()
	if err != nil {
		return err
	}
	r, err := s.Receipt(time.Now())
	if errors.Is(err, site.ErrNoActive) {
		return &hintError{err, "flotobuild site activate PATCH makes one active"}
	}
	if err != nil {
		return err
	}
	b, err := patch.EncodeReceipt(r)
	if err != nil {
		return err
	}
	if out == "" {
		a.ui.printf("%s", b)
		return nil
	}
	if err := atomicfile.WriteFile(out, b, 0o666); err != nil {
		return err
	}
	a.ui.printf("%s: %s\n", safe(out), count(len(r.Images), "image"))
	return nil
}
