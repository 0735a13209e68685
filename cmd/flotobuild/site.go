package main

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/site"
)

// siteVariable names the store of the site, where -store does not.
const siteVariable = "FLOTOBUILD_SITE"

// siteFlags are the flags of all commands on a site.
type siteFlags struct{ store string }

func newSiteCommand(a *app) *cobra.Command {
	f := new(siteFlags)
	cmd := &cobra.Command{
		Use:   "site",
		Short: "Receive patches at a site: import, activate, roll back",
		Long: "site works on the store of a site, a folder that -store or " + siteVariable + " names. It needs no\n" +
			"network and no build engine. docs/site.md shows how.",
		Args: cobra.ArbitraryArgs,
		RunE: withoutCommand,
	}
	cmd.PersistentFlags().StringVar(&f.store, "store", "", "the site's store (`DIR`; default $"+siteVariable+")")
	cmd.AddCommand(
		newSiteInitCommand(a, f), newSiteImportCommand(a, f), newSiteListCommand(a, f), newSiteShowCommand(a, f),
		newSiteActivateCommand(a, f), newSiteRollbackCommand(a, f), newSiteStatusCommand(a, f), newSiteReceiptCommand(a, f),
		newSiteGCCommand(a, f), newSiteHistoryCommand(a, f), newSiteTrustCommand(a, f),
		newSiteRedeployCommand(a, f),
		newSitePushCommand(a, f), newSiteServeCommand(a, f), newSiteTokenCommand(a, f),
		newSiteVarsCommand(a, f),
	)
	return cmd
}

// dir is the folder that flag or environment name.
func (f *siteFlags) dir() (string, error) {
	switch {
	case f.store != "":
		return f.store, nil
	case os.Getenv(siteVariable) != "":
		return os.Getenv(siteVariable), nil
	}
	return "", &hintError{errors.New("the store of the site is not named"), "name its folder with -store DIR, or in " + siteVariable}
}

// open opens the store.
func (f *siteFlags) open() (*site.Site, error) {
	dir, err := f.dir()
	if err != nil {
		return nil, err
	}
	s, err := site.Open(dir)
	if errors.Is(err, site.ErrNoSite) {
		return nil, &hintError{err, "make one with: flotobuild site init -name NAME " + dir}
	}
	return s, err
}

// findPatch gives the id of the patch that the user means: an id, or a version
// that one patch alone has.
func findPatch(s *site.Site, all []site.Entry, name string) (string, error) {
	var versions []string
	for _, e := range all {
		if e.ID == name {
			return name, nil
		}
		if e.Version == name {
			versions = append(versions, e.ID)
		}
	}
	switch len(versions) {
	case 1:
		return versions[0], nil
	case 0:
		return "", &hintError{&site.MissingPatchError{ID: name}, "flotobuild site list shows the patches of site " + s.Name()}
	}
	return "", &hintError{fmt.Errorf("several patches have version %q", name), "name the id of one: " + strings.Join(versions, ", ")}
}

// withSiteHint adds to an error what an operator can do about it.
func withSiteHint(err error) error {
	locked, space, values := (*site.LockedError)(nil), (*site.SpaceError)(nil), (*site.VarsError)(nil)
	switch {
	case errors.As(err, &values) && len(values.Missing) > 0:
		return &hintError{err, "flotobuild site vars set " + values.Missing[0].Name + " asks for the value"}
	case values != nil:
		return &hintError{err, "flotobuild site vars list shows the values that were set"}
	case errors.As(err, &locked) || errors.Is(err, site.ErrImporting):
		return &hintError{err, "try again when that has ended"}
	case errors.As(err, &space):
		return &hintError{err, "flotobuild site gc removes old patches"}
	}
	return withKeyHint(err)
}

// operator names who runs the program, for the history.
func operator() string {
	name := os.Getenv("USER")
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if by := os.Getenv("SUDO_USER"); by != "" && by != name {
		return by + " (as " + name + ")"
	}
	return name
}
