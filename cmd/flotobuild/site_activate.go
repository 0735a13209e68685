package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/site"
)

func newSiteActivateCommand(a *app, f *siteFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "activate PATCH",
		Short: "Make a patch the active one",
		Long: "activate makes a patch of the store the active one: by its id, or by its version where no other\n" +
			"has the same. The one that was active stays for site rollback. Where root definitions leave\n" +
			"variables to the site it compiles the patch with their values, and applies changed ones to the\n" +
			"active patch; see site vars. Containers are not touched.",
		Args: onePatch,
		RunE: func(cmd *cobra.Command, args []string) error { return a.siteActivate(cmd.Context(), f, args[0]) },
	}
}

// onePatch demands the id of a patch.
func onePatch(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return &hintError{errors.New(cmd.CommandPath() + " needs one patch"), "flotobuild site list shows their ids"}
}

func (a *app) siteActivate(ctx context.Context, f *siteFlags, name string) error {
	s, id, err := f.openPatch(ctx, name)
	if err != nil {
		return err
	}
	was, _, err := s.Active()
	if err != nil {
		return err
	}
	changed, err := s.VarsChanged()
	if err != nil {
		return err
	}
	if err := s.Activate(ctx, id, operator()); err != nil {
		return withSiteHint(err)
	}
	switch {
	case was == id && changed:
		a.ui.printf("%s: active, with changed values\n", safe(id))
		return nil
	case was == id:
		a.ui.printf("%s: active already\n", safe(id))
		return nil
	}
	a.ui.printf("%s: active\n", safe(id))
	if was != "" {
		a.ui.printf("  before: %s\n", safe(was))
	}
	return nil
}

// openPatch opens the store and finds the patch that the user means.
func (f *siteFlags) openPatch(ctx context.Context, name string) (*site.Site, string, error) {
	s, err := f.open()
	if err != nil {
		return nil, "", err
	}
	all, err := s.List(ctx)
	if err != nil {
		return nil, "", err
	}
	id, err := findPatch(s, all, name)
	return s, id, err
}

func newSiteRollbackCommand(a *app, f *siteFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "rollback [PATCH]",
		Short: "Go back to the patch that was active before",
		Long: "rollback makes active what was so before; again, what was before that. PATCH names one of those\n" +
			"that have been active. Where root definitions leave variables to the site, the patch comes back\n" +
			"with the values that it had, and an active patch that was activated again with changed values\n" +
			"goes back to those of before first. Containers are not touched.",
		Args: atMostOne("patch"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.siteRollback(cmd.Context(), f, args) },
	}
}

func (a *app) siteRollback(ctx context.Context, f *siteFlags, args []string) error {
	s, err := f.open()
	id := ""
	if err == nil && len(args) == 1 {
		s, id, err = f.openPatch(ctx, args[0])
	}
	if err != nil {
		return err
	}
	was, _, err := s.Active()
	if err != nil {
		return err
	}
	if id, err = s.Rollback(ctx, id, operator()); err != nil {
		return withSiteHint(err)
	}
	if was == id {
		a.ui.printf("%s: active again, with the values of before\n", safe(id))
	} else {
		a.ui.printf("%s: active again\n  before: %s\n", safe(id), safe(was))
	}
	changed, err := s.VarsChanged()
	if err == nil && changed {
		a.ui.hintf("other values are set: flotobuild site activate %s applies them, flotobuild site vars restore takes them back", id)
	}
	return err
}
