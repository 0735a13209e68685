package main

import (
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
)

// A descriptionRenderer writes a patch's description for people.
type descriptionRenderer struct {
	patch *patch.Reader

	b strings.Builder
}

func (r *descriptionRenderer) render() string {
	d := r.patch.Description
	r.head(d)
	carried := make(map[digest.Digest]bool)
	for _, t := range d.Flotobuild.Transport {
		carried[t.DiffID] = true
	}
	r.line("")
	r.line("%s:", count(len(d.Flotobuild.Images), "image"))
	for _, i := range d.Flotobuild.Images {
		r.image(i, carried)
	}
	if len(d.Flotobuild.RemovedImages) > 0 {
		r.line("")
		r.line("%s:", count(len(d.Flotobuild.RemovedImages), "removed image"))
		for _, i := range d.Flotobuild.RemovedImages {
			r.line("  - %s  %s", i.Name, i.ID)
		}
	}
	r.line("")
	r.contents(d)
	return r.b.String()
}

func (r *descriptionRenderer) line(format string, args ...any) {
	fmt.Fprintf(&r.b, format+"\n", args...)
}

// head writes what the patch is.
func (r *descriptionRenderer) head(d *patch.Description) {
	kind := "initial patch"
	if len(d.Flotobuild.Parents) > 0 {
		kind = "incremental patch"
	}
	r.line("%s", d.ID)
	for _, f := range [][2]string{
		{"kind", kind},
		{"site", d.SiteName},
		{"name", d.Name},
		{"version", d.Flotobuild.Version},
		{"revision", d.Revision},
		{"comment", d.Comment},
		{"created", d.CreationDate.String()},
		{"author", d.Author},
		{"producer", d.Producer},
		{"root", d.RootDefinitionFile},
	} {
		if f[1] != "" {
			r.line("  %-9s %s", f[0], f[1])
		}
	}
	for _, p := range d.Flotobuild.Parents {
		r.line("  %-9s %s", "parent", p.ID)
	}
}

// image writes an image and how many of its layers the patch carries.
func (r *descriptionRenderer) image(i patch.Image, carried map[digest.Digest]bool) {
	var here, there int
	var hereSize, thereSize int64
	seen := make(map[digest.Digest]bool)
	for _, m := range i.Manifests {
		for _, l := range m.Layers {
			switch {
			case seen[l.DiffID]:
			case carried[l.DiffID]:
				here, hereSize = here+1, hereSize+l.Size
			default:
				there, thereSize = there+1, thereSize+l.Size
			}
			seen[l.DiffID] = true
		}
	}
	r.line("  %s  %s", i.Name, i.ID)
	if here > 0 {
		r.line("      %s in this patch, %s", count(here, "layer"), byteSize(hereSize))
	}
	if there > 0 {
		r.line("      %s of the parent, %s", count(there, "layer"), byteSize(thereSize))
	}
	if here+there == 0 {
		r.line("      no layer")
	}
}

// contents sums up the other entries and the file.
func (r *descriptionRenderer) contents(d *patch.Description) {
	var files int
	var size int64
	for _, c := range d.Flotobuild.Contents {
		if strings.HasPrefix(c.Path, patch.ConfDir) {
			files, size = files+1, size+c.Size
		}
	}
	r.line("conf: %s, %s", count(files, "file"), byteSize(size))
	r.line("patch file: %s, %s", count(len(d.Flotobuild.Contents), "entry"), byteSize(r.patch.Size()))
	if types := r.patch.Recipients(); types != nil {
		r.line("encrypted for: %s", strings.Join(types, ", "))
	}
}
