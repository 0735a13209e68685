package main

import (
	"bytes"
	"os"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/rogpeppe/go-internal/testscript"
)

// cmdDockerArchive reads a tar of docker save with another tool and validates
// the image of that tag.
func cmdDockerArchive(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "dockerarchive FILE TAG")
	tag, err := name.NewTag(args[1])
	ts.Check(err)
	img, err := tarball.ImageFromPath(ts.MkAbs(args[0]), &tag)
	ts.Check(err)
	ts.Check(validate.Image(img))
}

// cmdDamageBlob inverts a bit of the first layer that a patch carries.
func cmdDamageBlob(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, "damageblob PATCH")
	p := patchFile(ts, args[0])
	defer p.Close()
	for _, l := range layersByID(p.Description) {
		if !p.Has(l.Digest) {
			continue
		}
		file := ts.MkAbs(args[0])
		b, err := os.ReadFile(file)
		ts.Check(err)
		entry := []byte("images/blobs/sha256/" + l.Digest.Encoded())
		b[bytes.Index(b, entry)+len(entry)+100] ^= 1
		ts.Check(os.WriteFile(file, b, 0o644))
		return
	}
	ts.Fatalf("%s carries no layer", args[0])
}
