package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/site"
	"github.com/flotobuild/flotobuild/site/deploy"
)

func newSiteStatusCommand(a *app, f *siteFlags) *cobra.Command {
	var asJSON, check bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Tell how a site is",
		Long: "status tells what is active, what is under way, and what is wrong. With -check it reads every\n" +
			"blob and every file of every patch. Damaged blobs are set aside, so that importing a patch\n" +
			"again mends the store. The exit code is 1 where something is damaged.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.siteStatus(cmd.Context(), f, asJSON, check) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&check, "check", false, "read all blobs and files, and compare their digests")
	return cmd
}

func (a *app) siteStatus(ctx context.Context, f *siteFlags, asJSON, check bool) error {
	s, err := f.open()
	if err != nil {
		return err
	}
	var c *site.Checked
	if check {
		meter := newMeter(a.ui, asJSON)
		c, err = s.Check(ctx, site.CheckOptions{Progress: func(done, total int64) { meter.bytes("checked", done, total) }})
		meter.end()
		if err != nil {
			return err
		}
	}
	st, err := s.Status(ctx) // fails where what it reads is damaged, which the check has found then
	switch {
	case err != nil && c == nil:
		return err
	case asJSON:
		v := make(map[string]any)
		if st != nil {
			v["status"] = st
		}
		if c != nil {
			v["damage"] = c.Damage
		}
		err = errors.Join(err, a.printSiteJSON(v))
	default:
		if st != nil {
			a.showSiteStatus(st)
		}
		a.showDamage(st, c)
	}
	if err == nil && (c != nil && len(c.Damage) > 0 || len(st.Damaged) > 0) {
		return exitError(1)
	}
	return err
}

func (a *app) showSiteStatus(st *site.Status) {
	line := func(key, format string, args ...any) {
		a.ui.printf("%-9s  %s\n", key, safe(fmt.Sprintf(format, args...)))
	}
	line("site", "%s", st.Site)
	line("store", "%s", st.Dir)
	if st.Active == "" {
		line("active", "none")
	} else {
		line("active", "%s", st.Active)
		line("", "since %s, by %s", st.Since.Format(shortTime), st.By)
	}
	if st.VarsChanged {
		line("vars", "changed since activation: activate the patch again to apply them, or site vars restore")
	}
	switch {
	case st.ValuesBefore && st.Previous != "":
		line("rollback", "the values of before, then %s", st.Previous)
	case st.ValuesBefore:
		line("rollback", "the values of before")
	case st.Previous != "":
		line("rollback", "%s", st.Previous)
	}
	if st.Newest != st.Active {
		line("newest", "%s", st.Newest)
	}
	line("patches", "%d", st.Patches)
	line("blobs", "%d, %s", st.Blobs, byteSize(st.Bytes))
	if st.Free >= 0 {
		line("free", "%s", byteSize(st.Free))
	}
	trust := "signatures are demanded"
	if !st.Trust {
		trust = "none: no signatures are demanded"
	}
	line("trust", "%s", trust)
	if st.Holder != nil {
		line("under way", "%s", st.Holder)
	}
	for _, i := range st.Imports {
		line("import", "%s", importText(i))
	}
}

func importText(i site.PendingImport) string {
	if i.Running {
		return fmt.Sprintf("%s is under way, %s copied", i.Patch, byteSize(i.Bytes))
	}
	return fmt.Sprintf("%s was interrupted after %s: importing it again goes on", i.Patch, byteSize(i.Bytes))
}

// showDamage tells what is damaged, and how to mend it. st is nil where it cannot be
// had, and c where nothing was checked.
func (a *app) showDamage(st *site.Status, c *site.Checked) {
	lost, files := st != nil && len(st.Damaged) > 0, false
	if c != nil && len(c.Damage) == 0 {
		a.ui.printf("%-9s  %s and %s are as they came\n", "check", count(c.Blobs, "blob"), count(c.Files, "file"))
	}
	if c != nil {
		for _, d := range c.Damage {
			a.ui.errorf("%s", d.Error)
			files = files || d.File != ""
		}
	}
	if lost {
		for _, id := range st.Damaged {
			a.ui.errorf("the store lacks blobs of patch %s", id)
		}
		a.ui.hintf("import these patches again: only what is missing is copied")
	}
	if files {
		a.ui.hintf("of a patch with damaged files, remove its folder in patches/ and import the patch again; an active one stays active")
	}
}

func newSiteGCCommand(a *app, f *siteFlags) *cobra.Command {
	var o site.GCOptions
	cmd := &cobra.Command{
		Use:   "gc",
		Short: "Remove old patches, and blobs that nothing needs",
		Long: "gc removes all patches but the newest ones, the active one, the one that site rollback goes to and\n" +
			"those that hosts run or may be brought back to, then the blobs that no patch needs any more, and\n" +
			"what interrupted imports left. It works on a full disk.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.siteGC(cmd.Context(), f, o) },
	}
	cmd.Flags().IntVar(&o.Keep, "keep", 3, "keep the `N` newest patches")
	cmd.Flags().BoolVar(&o.DryRun, "dry-run", false, "say what would be removed, and remove nothing")
	return cmd
}

func (a *app) siteGC(ctx context.Context, f *siteFlags, o site.GCOptions) error {
	if o.Keep < 0 {
		return errors.New("cannot use -keep: less than none cannot be kept")
	}
	s, err := f.open()
	if err != nil {
		return err
	}
	o.By = operator()
	o.InUse = deployed(s)
	c, err := s.GC(ctx, o)
	if err != nil {
		return withSiteHint(err)
	}
	verb := "removed"
	if o.DryRun {
		verb = "would remove"
	}
	for _, id := range c.Patches {
		a.ui.printf("%s %s\n", verb, safe(id))
	}
	a.ui.printf("%s %s, %s and %s: %s\n", verb, count(len(c.Patches), "patch"), count(c.Blobs, "blob"), count(c.Staging, "interrupted import"), byteSize(c.Bytes))
	return nil
}

// deployed gives the ids of the patches that hosts run or may be brought back to.
func deployed(s *site.Site) func() ([]string, error) {
	return func() ([]string, error) {
		state, err := deploy.ReadState(s.Dir())
		if err != nil {
			return nil, err
		}
		return state.Patches(), nil
	}
}
