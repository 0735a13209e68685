package main

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/patch/crypt"
	"github.com/flotobuild/flotobuild/patch/volume"
	"github.com/flotobuild/flotobuild/site"
)

func newSiteImportCommand(a *app, f *siteFlags) *cobra.Command {
	var quiet bool
	cmd := &cobra.Command{
		Use:   "import PATCH|VOLUME|FOLDER|-...",
		Short: "Check patches and take them into the store",
		Long: "import takes a patch into the store: a file, encrypted or not; volumes, of which any one or\n" +
			"their folder stands for all; or standard input. It is read once, and checked from the first\n" +
			"byte to the last. What does not fit the site is refused before anything is written. An import\n" +
			"that was interrupted goes on when it is started again. Patches are not activated.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return nil
			}
			return &hintError{errors.New("site import needs a patch"), "usage: flotobuild site import PATCH|VOLUME|FOLDER|-..."}
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.siteImport(cmd.Context(), f, args, quiet) },
	}
	cmd.Flags().BoolVar(&quiet, "quiet", false, "print no progress")
	return cmd
}

func (a *app) siteImport(ctx context.Context, f *siteFlags, args []string, quiet bool) error {
	s, err := f.open()
	if err != nil {
		return err
	}
	o, err := a.opener()
	if err != nil {
		return err
	}
	for _, name := range oncePerSet(args) {
		if err := a.importPatch(ctx, s, name, o.Keys, quiet); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) importPatch(ctx context.Context, s *site.Site, name string, keys crypt.Keys, quiet bool) error {
	src := site.Source{Path: name, Keys: keys, OnDamage: a.warnDamage}
	if name == "-" {
		src = site.Source{Reader: cancellable(ctx, a.ui.in), Name: "standard input", Keys: keys}
	}
	a.interruptNote = "; what was copied stays, and importing again goes on from there"
	meter := newMeter(a.ui, quiet)
	i, err := s.Import(ctx, src, site.ImportOptions{By: operator(), Progress: meter.importing})
	meter.end()
	if err != nil {
		return withSiteHint(withMediaHint(err, name))
	}
	a.interruptNote = ""
	a.showImported(i, s)
	return nil
}

// withMediaHint adds what can be done about a damaged medium.
func withMediaHint(err error, name string) error {
	switch {
	case errors.Is(err, volume.ErrNone):
		return &hintError{err, "name a patch file"}
	case name != "-" && volumesOf(name) != nil && hintOf(err) == "":
		return &hintError{err, "flotobuild verify tells damaged volumes, and flotobuild join restores them where there is parity"}
	}
	if old, _ := openLegacy(name); name != "-" && old != nil {
		old.Close()
		return &hintError{err, "flotobuild convert makes a patch of what floto itself wrote"}
	}
	return err
}

func (a *app) showImported(i *site.Imported, s *site.Site) {
	r := i.Record
	if i.Known {
		a.ui.printf("%s: imported already, %s\n", safe(r.ID), r.Imported.Format(shortTime))
		if i.Signed {
			a.ui.printf("  signatures: %d, those of this copy among them\n", r.Verified.Signatures.Signatures)
			a.showSigned(i.Record)
		}
		return
	}
	what := "imported"
	if i.Repaired {
		what = "repaired"
	}
	a.ui.printf("%s: %s\n", safe(r.ID), what)
	v := r.Verified
	a.ui.printf("  %s, %s new of %s\n", count(r.Images, "image"), byteSize(r.Added), byteSize(r.Required))
	a.ui.printf("  checked: size and digest of %s, content of %s\n", count(v.Entries, "entry"), count(v.Layers, "layer"))
	if v.Deltas > 0 {
		a.ui.printf("  made of what changed: %s\n", count(v.Deltas, "layer"))
	}
	if i.Resumed > 0 {
		a.ui.printf("  went on: %s had been copied before\n", byteSize(i.Resumed))
	}
	a.showSigned(r)
	if !v.Policy {
		a.ui.warnf("signatures were not checked: site %s has no trust policy", s.Name())
	}
	if os.Getenv("FLOTOBUILD_IN_AUTOMATION") == "" {
		a.ui.printf("  to activate it: flotobuild site activate %s\n", safe(r.ID))
	}
}

func (a *app) showSigned(r site.Record) {
	for _, k := range r.Verified.Signatures.Trusted {
		a.ui.printf("  signed by %s, %s\n", safe(k.Name), k.Fingerprint)
	}
}
