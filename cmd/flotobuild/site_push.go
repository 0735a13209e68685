package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/site"
	"github.com/flotobuild/flotobuild/site/registry"
)

// pushFlags are the flags of site push.
type pushFlags struct {
	patch             string
	plainHTTP, asJSON bool
}

func newSitePushCommand(a *app, f *siteFlags) *cobra.Command {
	var p pushFlags
	cmd := &cobra.Command{
		Use:   "push REGISTRY",
		Short: "Copy the images of the active patch to a registry",
		Long: "push copies the images of the active patch to a registry of the site's network: REGISTRY is\n" +
			"HOST[:PORT][/PREFIX]. They are tagged with the patch's version and id, and \"active\". What is there\n" +
			"is not sent again, and every blob is checked on its way. Credentials are those of docker login.\n" +
			"Engines that can reach this machine need no other registry: see site serve.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				return nil
			}
			return &hintError{errors.New("site push needs one registry"), "usage: flotobuild site push REGISTRY, such as registry.plant.example/plant"}
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.sitePush(cmd.Context(), f, args[0], &p) },
	}
	cmd.Flags().StringVar(&p.patch, "patch", "", "copy the images of this `PATCH`, by id or version, instead of the active one's")
	cmd.Flags().BoolVar(&p.plainHTTP, "plain-http", false, "the registry has no TLS; one on this machine needs no flag for that")
	cmd.Flags().BoolVar(&p.asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) sitePush(ctx context.Context, f *siteFlags, where string, flags *pushFlags) error {
	s, err := f.open()
	if err != nil {
		return err
	}
	p, err := pushedPatch(ctx, s, flags.patch)
	if err != nil {
		return err
	}
	a.interruptNote = "; what was pushed stays, and pushing again goes on from there"
	pushed, err := registry.Push(ctx, s.Blobs(), p.Header.Description, registry.PushOptions{
		Registry: where, PlainHTTP: flags.plainHTTP, Active: p.Active, Credentials: authn.DefaultKeychain,
		Pushed: func(p registry.Pushed) {
			if !flags.asJSON {
				a.showPushed(p)
			}
		},
	})
	if err != nil {
		return err
	}
	a.interruptNote = ""
	if flags.asJSON {
		return a.printSiteJSON(map[string]any{"patch": p.ID, "images": append([]registry.Pushed{}, pushed...)})
	}
	var sent int64
	for _, p := range pushed {
		sent += p.Sent
	}
	a.ui.printf("%s of %s, %s sent\n", count(len(pushed), "image"), safe(p.ID), byteSize(sent))
	return nil
}

// pushedPatch opens the patch that a flag names, else the active one.
func pushedPatch(ctx context.Context, s *site.Site, name string) (*site.Patch, error) {
	if name != "" {
		all, err := s.List(ctx)
		if err != nil {
			return nil, err
		}
		id, err := findPatch(s, all, name)
		if err != nil {
			return nil, err
		}
		return s.Patch(id)
	}
	id, ok, err := s.Active()
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, &hintError{fmt.Errorf("cannot push: %w", site.ErrNoActive), "flotobuild site activate PATCH makes one active, and -patch names another"}
	}
	return s.Patch(id)
}

func (a *app) showPushed(p registry.Pushed) {
	state := "was there already"
	if p.Sent > 0 {
		state = byteSize(p.Sent) + " sent"
	}
	a.ui.printf("%s: %s\n", safe(p.Image), state)
	for _, tag := range p.Tags {
		a.ui.printf("  %s\n", safe(tag))
	}
}
