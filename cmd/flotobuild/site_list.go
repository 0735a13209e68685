package main

import (
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/site"
)

// shortTime is how times are printed for people, in UTC.
const shortTime = "2006-01-02 15:04Z"

func newSiteListCommand(a *app, f *siteFlags) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the patches of a site",
		Long:  "list prints the patches in the store, the newest first. * marks the active one, < the one that\nsite rollback goes to.",
		Args:  noArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.siteList(cmd.Context(), f, asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) siteList(ctx context.Context, f *siteFlags, asJSON bool) error {
	s, err := f.open()
	if err != nil {
		return err
	}
	all, err := s.List(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		return a.printSiteJSON(map[string]any{"site": s.Name(), "patches": all})
	}
	if len(all) == 0 {
		a.ui.printf("site %s has no patches\n", safe(s.Name()))
		return nil
	}
	w := tabwriter.NewWriter(printer{a.ui}, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  PATCH\tVERSION\tIMPORTED\tIMAGES\tNEW\tALL")
	for _, e := range all {
		fmt.Fprintf(w, "%s %s\t%s\t%s\t%d\t%s\t%s\n", siteMark(e), safe(e.ID), safe(e.Version), e.Imported.Format(shortTime), e.Images, byteSize(e.Added), byteSize(e.Required))
	}
	return w.Flush()
}

func siteMark(e site.Entry) string {
	switch {
	case e.Active:
		return "*"
	case e.Rollback:
		return "<"
	}
	return " "
}

// printSiteJSON prints an object with the version of its form.
func (a *app) printSiteJSON(v map[string]any) error {
	v["formatVersion"] = 1
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	a.ui.printJSON(b)
	return nil
}

// A printer writes results.
type printer struct{ ui *ui }

// Write implements io.Writer.
func (p printer) Write(b []byte) (int, error) {
	p.ui.printf("%s", b)
	return len(b), nil
}

func newSiteHistoryCommand(a *app, f *siteFlags) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "history",
		Short: "Tell who did what when at a site",
		Long:  "history prints what has been done to the site, the oldest first.",
		Args:  noArguments,
		RunE:  func(*cobra.Command, []string) error { return a.siteHistory(f, asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) siteHistory(f *siteFlags, asJSON bool) error {
	s, err := f.open()
	if err != nil {
		return err
	}
	events, err := s.History()
	if err != nil {
		return err
	}
	if asJSON {
		return a.printSiteJSON(map[string]any{"site": s.Name(), "events": append([]site.Event{}, events...)})
	}
	w := tabwriter.NewWriter(printer{a.ui}, 0, 0, 2, ' ', 0)
	for _, e := range events {
		text := e.Patch
		for _, more := range []string{e.Detail, e.Error} {
			if more != "" && text != "" {
				text += ": "
			}
			text += more
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", e.Time.Format(time.DateTime+"Z"), safe(e.By), safe(e.Action), safe(text))
	}
	return w.Flush()
}
