package main

import (
	"bytes"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/match"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/rogpeppe/go-internal/testscript"
)

// cmdMakeImage makes an image of tars, its layers, with another tool: in a
// layout (PATH:TAG), in a docker archive, or in a registry. Layers are plain
// or gzip.
func cmdMakeImage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: makeimage oci-layout|docker-archive|registry PLACE plain|gzip LAYER...")
	}
	img := imageOf(ts, args[2], args[3:])
	switch args[0] {
	case "oci-layout":
		dir, tag, _ := strings.Cut(args[1], ":")
		p, err := layout.FromPath(ts.MkAbs(dir))
		if err != nil {
			p, err = layout.Write(ts.MkAbs(dir), empty.Index)
		}
		ts.Check(err)
		ts.Check(p.ReplaceImage(img, match.Name(tag), layout.WithAnnotations(map[string]string{ocispec.AnnotationRefName: tag})))
	case "docker-archive":
		tag, err := name.NewTag("app:1.0")
		ts.Check(err)
		ts.Check(tarball.WriteToFile(ts.MkAbs(args[1]), tag, img))
	case "registry":
		ref, err := name.ParseReference(args[1])
		ts.Check(err)
		ts.Check(remote.Write(ref, img))
	default:
		ts.Fatalf("%q is no form of images", args[0])
	}
}

func imageOf(ts *testscript.TestScript, form string, layers []string) v1.Image {
	img, err := mutate.ConfigFile(mutate.MediaType(empty.Image, types.OCIManifestSchema1), &v1.ConfigFile{
		OS: "linux", Architecture: runtime.GOARCH, RootFS: v1.RootFS{Type: "layers"},
	})
	ts.Check(err)
	for _, file := range layers {
		b, err := os.ReadFile(ts.MkAbs(file))
		ts.Check(err)
		var l v1.Layer
		if form == "gzip" {
			l, err = tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }, tarball.WithMediaType(types.OCILayer))
			ts.Check(err)
		} else {
			l = static.NewLayer(b, types.OCIUncompressedLayer)
		}
		img, err = mutate.AppendLayers(img, l)
		ts.Check(err)
	}
	return img
}

// cmdServeReferrers serves an empty registry that knows referrers, until the
// script ends, and sets a variable to its address.
func cmdServeReferrers(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, "servereferrers VARIABLE")
	s := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(true)))
	ts.Defer(s.Close)
	ts.Setenv(args[0], strings.TrimPrefix(s.URL, "http://"))
}
