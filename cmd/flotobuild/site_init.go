package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/patch/sign"
	"github.com/flotobuild/flotobuild/site"
)

func newSiteInitCommand(a *app, f *siteFlags) *cobra.Command {
	var name, trust string
	cmd := &cobra.Command{
		Use:   "init -name NAME [DIR]",
		Short: "Make the store of a site",
		Long: "init makes the store of the site NAME, as the project names it, in an empty or new folder:\n" +
			"DIR, or the one of -store. With -trust, imports demand the signatures of that trust policy.",
		Args: atMostOne("folder"),
		RunE: func(_ *cobra.Command, args []string) error { return a.siteInit(f, args, name, trust) },
	}
	cmd.Flags().StringVar(&name, "name", "", "`NAME` of the site")
	cmd.Flags().StringVar(&trust, "trust", "", "import only what is signed as the trust policy in `FILE` demands")
	return cmd
}

// atMostOne refuses further arguments.
func atMostOne(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) <= 1 {
			return nil
		}
		return &hintError{fmt.Errorf("%s takes one %s at most, not %d", cmd.CommandPath(), what, len(args)), "usage: " + cmd.UseLine()}
	}
}

func (a *app) siteInit(f *siteFlags, args []string, name, trust string) error {
	if name == "" {
		return &hintError{errors.New("site init needs the name of the site"), "name it as the project does, with -name NAME"}
	}
	if len(args) > 0 {
		f.store = args[0]
	}
	dir, err := f.dir()
	if err != nil {
		return err
	}
	policy, err := readTrust(trust)
	if err != nil {
		return err
	}
	s, err := site.Init(dir, site.InitOptions{Name: name, Trust: policy, By: operator()})
	if err != nil {
		return err
	}
	a.ui.printf("store of site %s: %s\n", safe(s.Name()), safe(s.Dir()))
	if policy == nil {
		a.ui.warnf("imports will demand no signatures: name a trust policy with flotobuild site trust FILE")
	}
	return nil
}

// readTrust reads a trust policy; nil where no file is named.
func readTrust(name string) ([]byte, error) {
	if name == "" {
		return nil, nil
	}
	b, err := readBounded(name, sign.MaxPolicy)
	if err != nil {
		return nil, fmt.Errorf("cannot read trust policy: %w", err)
	}
	if _, err := sign.ParsePolicy(b); err != nil {
		return nil, fmt.Errorf("%q: %w", name, err)
	}
	return b, nil
}

func newSiteTrustCommand(a *app, f *siteFlags) *cobra.Command {
	var none bool
	cmd := &cobra.Command{
		Use:   "trust FILE",
		Short: "Replace the trust policy of a site",
		Long: "trust makes imports demand the signatures of the trust policy in FILE; with -none they demand\n" +
			"none any more. Patches that are there already stay.",
		Args: atMostOne("file"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.siteTrust(cmd.Context(), f, args, none) },
	}
	cmd.Flags().BoolVar(&none, "none", false, "demand no signatures any more")
	return cmd
}

func (a *app) siteTrust(ctx context.Context, f *siteFlags, args []string, none bool) error {
	if none == (len(args) == 1) {
		return &hintError{errors.New("site trust needs a trust policy, or -none"), "usage: flotobuild site trust FILE"}
	}
	s, err := f.open()
	if err != nil {
		return err
	}
	var policy []byte
	if !none {
		if policy, err = readTrust(args[0]); err != nil {
			return err
		}
	}
	if err := s.SetTrust(ctx, policy, operator()); err != nil {
		return withSiteHint(err)
	}
	if none {
		a.ui.printf("site %s demands no signatures\n", safe(s.Name()))
	} else {
		a.ui.printf("site %s demands the signatures of %s\n", safe(s.Name()), safe(args[0]))
	}
	return nil
}
