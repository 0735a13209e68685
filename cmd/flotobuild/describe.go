package main

import (
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/cmd/flotobuild/report"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/sign"
)

// A descriptionRenderer writes a patch's description for people.
type descriptionRenderer struct {
	patch *patch.Reader
	// verdict is that of a policy on the signatures; nil where there is none.
	verdict *sign.Verdict

	b       strings.Builder
	carried map[digest.Digest]string // how a layer travels, by diff id
	deltas  map[digest.Digest]int64  // bytes of the deltas, by diff id
}

func (r *descriptionRenderer) render() string {
	d := r.patch.Description
	r.carried, r.deltas = make(map[digest.Digest]string), d.DeltaSizes()
	for _, t := range d.Flotobuild.Transport {
		r.carried[t.DiffID] = t.Kind
	}
	r.head(d)
	r.line("")
	r.line("%s:", count(len(d.Flotobuild.Images), "image"))
	for _, i := range d.Flotobuild.Images {
		r.image(i)
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
		{"digest", string(r.patch.Digest)},
	} {
		if f[1] != "" {
			r.line("  %-9s %s", f[0], f[1])
		}
	}
	if d.Flotobuild.Release != nil {
		r.ref("release", d.Ref(""))
	}
	for _, p := range d.Flotobuild.Parents {
		r.ref("parent", p)
	}
}

func (r *descriptionRenderer) ref(label string, p patch.ParentRef) {
	r.line("  %-9s %s", label, p.ID)
	r.line("  %-9s %s", "", p.DescriptionDigest)
}

// image writes an image, the layers of it that travel, and how many do not.
func (r *descriptionRenderer) image(i patch.Image) {
	var here, there int
	var hereSize, thereSize int64
	var layers []patch.Layer
	seen := make(map[digest.Digest]bool)
	for _, m := range i.Manifests {
		for _, l := range m.Layers {
			switch {
			case seen[l.DiffID]:
			case r.carried[l.DiffID] != "":
				here, hereSize = here+1, hereSize+r.carries(l)
				layers = append(layers, l)
			default:
				there, thereSize = there+1, thereSize+l.Size
			}
			seen[l.DiffID] = true
		}
	}
	r.line("  %s  %s", i.Name, i.ID)
	if len(i.Manifests) > 1 {
		r.line("      for %s", platformsOf(i))
	}
	if here > 0 {
		r.line("      %s in this patch, %s", count(here, "layer"), byteSize(hereSize))
	}
	for _, l := range layers {
		r.layer(l)
	}
	if there > 0 {
		r.line("      %s of the parent, %s", count(there, "layer"), byteSize(thereSize))
	}
	if here+there == 0 {
		r.line("      no layer")
	}
}

func (r *descriptionRenderer) layer(l patch.Layer) {
	text := fmt.Sprintf("%s  %s", l.DiffID, byteSize(r.carries(l)))
	if l.CreatedBy != "" {
		text += "  " + report.Step(l.CreatedBy)
	}
	switch kind := r.carried[l.DiffID]; kind {
	case patch.TransportFull:
	case patch.TransportDelta:
		text += fmt.Sprintf("  (delta, instead of %s)", byteSize(l.Size))
	default:
		text += "  (" + kind + ")"
	}
	r.line("        + %s", text)
}

// carries is the bytes of a layer in the patch.
func (r *descriptionRenderer) carries(l patch.Layer) int64 {
	if r.carried[l.DiffID] == patch.TransportDelta {
		return r.deltas[l.DiffID]
	}
	return l.Size
}

func platformsOf(i patch.Image) string {
	var out []string
	for _, m := range i.Manifests {
		out = append(out, m.Platform)
	}
	return strings.Join(out, ", ")
}

// contents sums up the other entries and the file.
func (r *descriptionRenderer) contents(d *patch.Description) {
	r.group(d, "conf", false, func(name string) bool { return strings.HasPrefix(name, patch.ConfDir) })
	r.group(d, "manifest", false, func(name string) bool { return strings.HasPrefix(name, patch.ManifestDir) })
	r.group(d, "documents", true, func(name string) bool { return strings.HasPrefix(name, patch.DocumentsDir) })
	r.group(d, "envelopes", true, func(name string) bool { return strings.HasPrefix(name, patch.EnvelopesDir) })
	r.group(d, "further entries", true, further)
	r.signatures()
	r.line("patch file: %s, %s", count(len(d.Flotobuild.Contents), "entry"), byteSize(r.patch.Size()))
	if types := r.patch.Recipients(); types != nil {
		r.line("encrypted for: %s", strings.Join(types, ", "))
	}
}

// further says whether an entry is none of those that every patch may have:
// provenance, for example.
func further(name string) bool {
	for _, known := range []string{patch.ConfDir, patch.ManifestDir, patch.DocumentsDir, patch.EnvelopesDir, "images/", patch.VersionEntry} {
		if strings.HasPrefix(name, known) {
			return false
		}
	}
	return true
}

// group writes a line for entries that belong together, and their names where
// they are asked for.
func (r *descriptionRenderer) group(d *patch.Description, label string, names bool, belongs func(string) bool) {
	var files []patch.Content
	var size int64
	for _, c := range d.Flotobuild.Contents {
		if belongs(c.Path) {
			files, size = append(files, c), size+c.Size
		}
	}
	if len(files) == 0 {
		return
	}
	r.line("%s: %s, %s", label, count(len(files), "file"), byteSize(size))
	for _, c := range files {
		if names {
			r.line("  %s  %s", c.Path, byteSize(c.Size))
		}
	}
}

// signatures names who has signed, or counts the signatures where there is no
// policy to judge them.
func (r *descriptionRenderer) signatures() {
	n := r.patch.Signatures()
	switch {
	case r.verdict != nil:
		for _, k := range r.verdict.Trusted {
			r.line("signed by %s, %s", k.Name, k.Fingerprint)
		}
	case n > 0:
		r.line("signed: %s, not checked", count(n, "signature"))
	default:
		r.line("not signed")
	}
}
