package planner

import (
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
)

// fingerprintVersion changes whenever equal inputs could give other images than
// before; every image is then made anew once.
const fingerprintVersion = 1

// maxEntries is the number of entries of a context that a fingerprint lists one
// by one; larger contexts are one input.
const maxEntries = 100

// seal computes the digest of the inputs: SHA-256 over the version and each
// name and value, sorted by name, every string preceded by its length in bytes.
func seal(inputs map[string]string) patch.Fingerprint {
	h := sha256.New()
	fmt.Fprintf(h, "flotobuild fingerprint %d\n", fingerprintVersion)
	writeInputs(h, inputs)
	return patch.Fingerprint{Digest: digest.NewDigest(digest.SHA256, h), Inputs: inputs}
}

func writeInputs(w io.Writer, inputs map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		fmt.Fprintf(w, "%d:%s%d:%s\n", len(name), name, len(inputs[name]), inputs[name])
	}
}

// addFolder adds the entries of a context under the prefix, or the prefix alone
// with a digest of all where there are many.
func addFolder(inputs map[string]string, prefix string, entries map[string]digest.Digest) {
	all := make(map[string]string, len(entries))
	for name, d := range entries {
		all[prefix+":"+name] = d.String()
	}
	if len(all) > maxEntries {
		h := sha256.New()
		writeInputs(h, all)
		inputs[prefix] = digest.NewDigest(digest.SHA256, h).String()
		return
	}
	maps.Copy(inputs, all)
}

// fingerprint computes the fingerprint of an image; those of the images that it
// depends on must be known.
func fingerprint(img *Image, f *imageFacts, done map[string]*Image) patch.Fingerprint {
	in := map[string]string{"platform": strings.Join(img.Platforms, ",")}
	for k, v := range img.Labels {
		in["label:"+k] = v
	}
	switch {
	case img.Rootfs != nil:
		in["rootfs"] = img.Rootfs.Digest.String()
	case img.Source != nil:
		in["source"] = img.Source.Digest.String()
	case img.Build != nil:
		buildInputs(in, img.Build, f, done)
	}
	return seal(in)
}

func buildInputs(in map[string]string, b *Build, f *imageFacts, done map[string]*Image) {
	in["dockerfile"] = f.dockerfile.Digest.String()
	if b.Target != "" {
		in["target"] = b.Target
	}
	for k, v := range b.Args {
		in["arg:"+k] = v
	}
	// The values of secrets are not recorded, but whether a build gets one is.
	for id := range b.Secrets {
		in["secret:"+id] = "present"
	}
	addFolder(in, "context", f.folder)
	for name, c := range b.Contexts {
		switch {
		case c.Image != "":
			in["image:"+name] = done[c.Image].Fingerprint.Digest.String()
		case c.Dir != "":
			addFolder(in, "context-dir:"+name, f.dirs[name])
		default:
			in["base:"+name] = c.Ref
		}
	}
	for ref, d := range b.Pins {
		in["base:"+ref] = d.String()
	}
}
