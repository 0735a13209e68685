package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/planner"
)

func newManifestCommand(a *app) *cobra.Command {
	var vars variableFlags
	var site string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "manifest",
		Short: "Print what the root definitions give the patches",
		Long: "manifest compiles the root definition of each site and prints the entries that go into\n" +
			"its patch: manifest.json, a Compose file for each host, config files and documents. It\n" +
			"builds nothing: images have the ids of the newest patch, or zeros where it has none, and\n" +
			"the patch has a placeholder for its id.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			options, err := vars.read()
			if err != nil {
				return err
			}
			p, err := a.load(cmd.Context(), options, false)
			if err != nil {
				return err
			}
			defer a.finish(p)
			return a.manifests(cmd.Context(), p, site, asJSON)
		},
	}
	vars.define(cmd)
	cmd.Flags().StringVar(&site, "site", "", "print those of one site (`NAME`)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the entries as JSON, by site and name")
	return cmd
}

// manifests prints the entries of all sites, or of one.
func (a *app) manifests(ctx context.Context, p *project, site string, asJSON bool) error {
	if err := checkSite(p, site); err != nil {
		return err
	}
	want, err := p.resolve(ctx, planner.Options{})
	parents, parentErr := p.workspace.Parents(ctx, p.config)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := a.planningErrors(p, false, err, parentErr); err != nil {
		return err
	}
	if err := a.report(want.Warnings, p.config, false); err != nil {
		return err
	}
	p.parents = parents
	entries, diags := planner.Preview(p.config, p.descriptions(), want)
	if err := a.report(diags, p.config, false); err != nil {
		return err
	}
	if site != "" {
		entries = map[string]map[string][]byte{site: entries[site]}
	}
	if asJSON {
		return a.manifestJSON(entries)
	}
	for _, s := range slices.Sorted(maps.Keys(entries)) {
		for _, name := range slices.Sorted(maps.Keys(entries[s])) {
			text := safe(strings.TrimSuffix(string(entries[s][name]), "\n"))
			a.ui.printf("%s\n%s\n\n", paint(a.ui.colorOut, grey, "# site "+s+": "+safe(name)), text)
		}
	}
	return nil
}

// checkSite refuses a site that the configuration does not have.
func checkSite(p *project, name string) error {
	var known []string
	for _, s := range p.config.Sites {
		known = append(known, s.Name)
	}
	if name == "" || slices.Contains(known, name) {
		return nil
	}
	return &hintError{fmt.Errorf("there is no site %q", name), "the sites are: " + strings.Join(known, ", ")}
}

func (a *app) manifestJSON(entries map[string]map[string][]byte) error {
	out := make(map[string]map[string]string)
	for site, files := range entries {
		out[site] = make(map[string]string)
		for name, b := range files {
			out[site][name] = string(b)
		}
	}
	b, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return fmt.Errorf("cannot print the manifests: %w", err)
	}
	a.ui.printJSON(append(b, '\n'))
	return nil
}
