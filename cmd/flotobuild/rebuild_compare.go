package main

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
)

// compareRebuilt lists what differs between a patch and what the project gives:
// layers before images, and entries other than blobs, as they explain the rest.
func compareRebuilt(have, again *patch.Reader) *rebuilt {
	out := &rebuilt{DescriptionDigest: again.Digest}
	if have.Digest == again.Digest {
		return out
	}
	a, b := have.Description, again.Description
	add := func(format string, args ...any) {
		out.Differences = append(out.Differences, fmt.Sprintf(format, args...))
	}
	for _, f := range []struct{ key, a, b string }{
		{"id", a.ID, b.ID},
		{"version", a.Flotobuild.Version, b.Flotobuild.Version},
		{"author", a.Author, b.Author},
		{"producer", a.Producer, b.Producer},
		{"comment", a.Comment, b.Comment},
	} {
		if f.a != f.b {
			add("%s is %q there and %q here", f.key, f.a, f.b)
		}
	}
	for _, i := range a.Flotobuild.Images {
		n := slices.IndexFunc(b.Flotobuild.Images, func(o patch.Image) bool { return o.Name == i.Name })
		if n < 0 {
			add("image %q is not in the project", i.Name)
			continue
		}
		out.Differences = append(out.Differences, compareImages(i, b.Flotobuild.Images[n])...)
	}
	for _, i := range b.Flotobuild.Images {
		if !slices.ContainsFunc(a.Flotobuild.Images, func(o patch.Image) bool { return o.Name == i.Name }) {
			add("image %q is not in the patch", i.Name)
		}
	}
	out.Differences = append(out.Differences, compareEntries(a, b)...)
	if len(out.Differences) == 0 {
		add("the description differs in what the build records of itself: its digest is %s there and %s here", have.Digest, again.Digest)
	}
	return out
}

func compareImages(a, b patch.Image) []string {
	var out []string
	for n, m := range a.Manifests {
		if n >= len(b.Manifests) || m.Platform != b.Manifests[n].Platform {
			return append(out, fmt.Sprintf("image %q has other platforms", a.Name))
		}
		other := b.Manifests[n].Layers
		for k, l := range m.Layers {
			if k >= len(other) || l.DiffID != other[k].DiffID {
				out = append(out, fmt.Sprintf("image %q, %s: layer %d of %d has another content, %s", a.Name, m.Platform, k+1, len(m.Layers), l.CreatedBy))
			}
		}
	}
	if len(out) == 0 && a.ID != b.ID {
		out = append(out, fmt.Sprintf("image %q has the same layers and another config: %s there and %s here", a.Name, a.ID, b.ID))
	}
	return out
}

func compareEntries(a, b *patch.Description) []string {
	var out []string
	other := make(map[string]digest.Digest)
	for _, c := range b.Flotobuild.Contents {
		other[c.Path] = c.Digest()
	}
	sealed := encryptedEnvelopes(b)
	for _, c := range a.Flotobuild.Contents {
		d, ok := other[c.Path]
		delete(other, c.Path)
		folder, name := path.Split(c.Path)
		switch {
		case strings.HasPrefix(c.Path, "images/"), d == c.Digest():
		case !ok:
			out = append(out, fmt.Sprintf("entry %q is in the patch alone", c.Path))
		case !sealed[folder]:
			out = append(out, fmt.Sprintf("entry %q has another content", c.Path))
		case name == "envelope.pb":
			out = append(out, fmt.Sprintf("%q was sealed anew, and encryption gives other bytes each time: "+
				"rebuild where the project has dist/envelopes and the digest key that it was sealed with", path.Clean(folder)))
		}
	}
	for _, c := range b.Flotobuild.Contents {
		if _, left := other[c.Path]; left && !strings.HasPrefix(c.Path, "images/") {
			out = append(out, fmt.Sprintf("entry %q is not in the patch", c.Path))
		}
	}
	return out
}

// encryptedEnvelopes gives the folders of envelopes that are encrypted for their
// devices. Their files differ together, whenever they are sealed.
func encryptedEnvelopes(d *patch.Description) map[string]bool {
	out := make(map[string]bool)
	for _, c := range d.Flotobuild.Contents {
		if folder, name := path.Split(c.Path); name == "context.pb" && strings.HasPrefix(folder, patch.EnvelopesDir) {
			out[folder] = true
		}
	}
	return out
}
