package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/site"
)

func newSiteShowCommand(a *app, f *siteFlags) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show PATCH",
		Short: "Show a patch of a site",
		Long: "show prints what a patch of the store brings, and what was checked when it was imported. PATCH\n" +
			"is its id, or its version where no other has the same.",
		Args: onePatch,
		RunE: func(cmd *cobra.Command, args []string) error { return a.siteShow(cmd.Context(), f, args[0], asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, with the description as the patch has it")
	return cmd
}

func (a *app) siteShow(ctx context.Context, f *siteFlags, name string, asJSON bool) error {
	s, id, err := f.openPatch(ctx, name)
	if err != nil {
		return err
	}
	p, err := s.Patch(id)
	if err != nil {
		return err
	}
	if asJSON {
		return a.printSiteJSON(map[string]any{"patch": p.Entry, "manifest": p.Manifest, "description": json.RawMessage(p.Header.Raw())})
	}
	r := &sitePatchRenderer{p: p}
	a.ui.printf("%s", safe(r.render()))
	return nil
}

// A sitePatchRenderer writes a patch of a site for people.
type sitePatchRenderer struct {
	p *site.Patch
	b strings.Builder
}

func (r *sitePatchRenderer) field(key, format string, args ...any) {
	if text := fmt.Sprintf(format, args...); text != "" {
		fmt.Fprintf(&r.b, "  %-10s %s\n", key, text)
	}
}

func (r *sitePatchRenderer) render() string {
	e := r.p.Entry
	fmt.Fprintf(&r.b, "%s\n", e.ID)
	switch {
	case e.Active:
		r.field("state", "active")
	case e.Rollback:
		r.field("state", "was active before the present one")
	}
	r.field("name", "%s", e.Name)
	r.field("version", "%s", e.Version)
	r.field("revision", "%s", e.Revision)
	r.field("comment", "%s", e.Comment)
	r.field("created", "%s", e.Created.Format(shortTime))
	if e.Release != nil {
		r.field("release", "%s", e.Release.ID)
	}
	for _, p := range e.Parents {
		r.field("parent", "%s", p.ID)
	}
	r.field("imported", "%s by %s from %s", e.Imported.Format(shortTime), e.By, e.Source)
	r.field("size", "%s; its images need %s, of which %s were new", byteSize(e.Size), byteSize(e.Required), byteSize(e.Added))
	r.verification(e.Verified)
	r.images()
	r.containers()
	r.variables()
	return r.b.String()
}

func (r *sitePatchRenderer) verification(v site.Verification) {
	r.field("checked", "%s (%s), content of %s; %s were there", count(v.Entries, "entry"), byteSize(v.Bytes), count(v.Layers, "layer"), count(v.Known, "blob"))
	switch {
	case !v.Policy:
		r.field("signatures", "%d, not checked", v.Signatures.Signatures)
	default:
		for _, k := range v.Signatures.Trusted {
			r.field("signed by", "%s", k)
		}
	}
	r.field("encrypted", "%s", strings.Join(v.Encrypted, ", "))
}

func (r *sitePatchRenderer) images() {
	fmt.Fprintf(&r.b, "\n%s:\n", count(len(r.p.Images()), "image"))
	for _, i := range r.p.Images() {
		var size int64
		for _, b := range patch.Blobs([]patch.Image{i}) {
			size += b.Size
		}
		for _, c := range i.Cache {
			size -= c.Size
		}
		fmt.Fprintf(&r.b, "  %s  %s  %s\n", i.Name, i.ID, byteSize(size))
	}
}

func (r *sitePatchRenderer) containers() {
	if r.p.Manifest == nil {
		return
	}
	fmt.Fprintf(&r.b, "\n%s:\n", count(len(r.p.Manifest.Containers), "container"))
	for _, c := range r.p.Manifest.Containers {
		fmt.Fprintf(&r.b, "  %s  on %s, image %s\n", c.Name, c.Host, c.Image)
	}
	for n, d := range r.p.Manifest.Documents {
		if n == 0 {
			fmt.Fprintf(&r.b, "\n%s:\n", count(len(r.p.Manifest.Documents), "document"))
		}
		fmt.Fprintf(&r.b, "  %s  %s\n", d.Title, d.Path)
	}
}

// variables lists what the patch leaves to the site.
func (r *sitePatchRenderer) variables() {
	if r.p.Manifest == nil || len(r.p.Manifest.SiteVariables) == 0 {
		return
	}
	fmt.Fprintf(&r.b, "\n%s of the site:\n", count(len(r.p.Manifest.SiteVariables), "variable"))
	for _, v := range r.p.Manifest.SiteVariables {
		fmt.Fprintf(&r.b, "  %s  %s", v.Name, oneLine(v.Type))
		if v.Sensitive {
			r.b.WriteString(", sensitive")
		}
		if v.Description != "" {
			r.b.WriteString("  " + oneLine(v.Description))
		}
		r.b.WriteString("\n")
	}
}
