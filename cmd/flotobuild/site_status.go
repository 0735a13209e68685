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
			"blob and sets damaged ones aside, so that importing a patch again mends the store. The exit\n" +
			"code is 1 where something is damaged.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.siteStatus(cmd.Context(), f, asJSON, check) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&check, "check", false, "read all blobs and compare their digests")
	return cmd
}

func (a *app) siteStatus(ctx context.Context, f *siteFlags, asJSON, check bool) error {
	s, err := f.open()
	if err != nil {
		return err
	}
	var found []site.Damage
	if check {
		meter := newMeter(a.ui, asJSON)
		found, err = s.Check(ctx, func(done, total int64) { meter.bytes("checked", done, total) })
		meter.end()
		if err != nil {
			return err
		}
	}
	st, err := s.Status(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		v := map[string]any{"status": st}
		if check {
			v["damage"] = found
		}
		err = a.printSiteJSON(v)
	} else {
		a.showSiteStatus(st, found, check)
	}
	if err == nil && len(found)+len(st.Damaged) > 0 {
		return exitError(1)
	}
	return err
}

func (a *app) showSiteStatus(st *site.Status, found []site.Damage, checked bool) {
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
		line("vars", "changed since activation: activate the patch again to apply them")
	}
	if st.Previous != "" {
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
	a.showDamage(st, found, checked)
}

func importText(i site.PendingImport) string {
	if i.Running {
		return fmt.Sprintf("%s is under way, %s copied", i.Patch, byteSize(i.Bytes))
	}
	return fmt.Sprintf("%s was interrupted after %s: importing it again goes on", i.Patch, byteSize(i.Bytes))
}

func (a *app) showDamage(st *site.Status, found []site.Damage, checked bool) {
	if checked && len(found) == 0 {
		a.ui.printf("%-9s  every blob has its digest\n", "check")
	}
	for _, d := range found {
		a.ui.errorf("%s", d.Error)
	}
	for _, id := range st.Damaged {
		a.ui.errorf("the store lacks blobs of patch %s", id)
	}
	if len(st.Damaged) > 0 {
		a.ui.hintf("import these patches again: only what is missing is copied")
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
