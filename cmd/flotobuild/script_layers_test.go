package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/flotobuild/flotobuild/patch"
)

// cmdLacking proves what a patch carries: every layer that its images need and
// that the parent's images have not, each in one entry, and no other. The
// parent is "none" for an initial patch.
func cmdLacking(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 3, "lacking PATCH PARENT COUNT")
	p := patchFile(ts, args[0])
	defer p.Close()
	want := layersByID(p.Description)
	if args[1] != "none" {
		parent := patchFile(ts, args[1])
		defer parent.Close()
		for id := range layersByID(parent.Description) {
			delete(want, id)
		}
	}
	blobs := make(map[digest.Digest]bool)
	for _, l := range want {
		blobs[l.Digest] = true
		if !p.Has(l.Digest) {
			ts.Fatalf("%s lacks layer %s", args[0], l.DiffID)
		}
	}
	for _, l := range layersByID(p.Description) {
		if p.Has(l.Digest) && !blobs[l.Digest] {
			ts.Fatalf("%s carries layer %s (%s), which the parent has", args[0], l.DiffID, l.CreatedBy)
		}
	}
	if n, err := strconv.Atoi(args[2]); err != nil || n != len(want) {
		ts.Fatalf("%s carries %d layers, not %s: %s", args[0], len(want), args[2], steps(want))
	}
}

// cmdBlobs counts the blobs of layers in a patch, each entry once.
func cmdBlobs(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "layerblobs PATCH COUNT")
	p := patchFile(ts, args[0])
	defer p.Close()
	ids := make(map[string]bool)
	for _, l := range layersByID(p.Description) {
		if p.Has(l.Digest) {
			ids[patch.BlobEntry(l.Digest)] = true
		}
	}
	n := 0
	for _, c := range p.Description.Flotobuild.Contents {
		if ids[c.Path] {
			n++
		}
	}
	if strconv.Itoa(n) != args[1] {
		ts.Fatalf("%s has %d entries with layers, not %s", args[0], n, args[1])
	}
}

func patchFile(ts *testscript.TestScript, name string) *patch.Reader {
	p, err := patch.Open(ts.MkAbs(name))
	ts.Check(err)
	return p
}

func layersByID(d *patch.Description) map[digest.Digest]patch.Layer {
	out := make(map[digest.Digest]patch.Layer)
	for _, i := range d.Flotobuild.Images {
		for _, m := range i.Manifests {
			for _, l := range m.Layers {
				out[l.DiffID] = l
			}
		}
	}
	return out
}

func steps(layers map[digest.Digest]patch.Layer) string {
	var out []string
	for _, l := range layers {
		out = append(out, l.CreatedBy)
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}
