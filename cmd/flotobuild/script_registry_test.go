package main

import (
	"io"
	"log"
	"net/http/httptest"
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
	"github.com/google/go-containerregistry/pkg/v1/types"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/rogpeppe/go-internal/testscript"
)

// A registryKey is under what a script keeps its registry: an *httptest.Server.
type registryKey struct{}

// cmdRegistry starts a registry on the loopback interface and sets a variable
// to its address. It ends with the script, or by endregistry.
func cmdRegistry(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, "registry VARIABLE")
	s := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	ts.Defer(s.Close)
	*ts.Value(registryKey{}).(**httptest.Server) = s
	ts.Setenv(args[0], strings.TrimPrefix(s.URL, "http://"))
}

// cmdEndRegistry ends the script's registry.
func cmdEndRegistry(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 0, "endregistry")
	s := *ts.Value(registryKey{}).(**httptest.Server)
	if s == nil {
		ts.Fatalf("no registry was started")
	}
	s.Close()
}

// cmdPush puts an image with the given content under a reference: of a registry,
// or oci-layout://PATH:TAG. It takes the place of one that is there.
func cmdPush(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "push REFERENCE CONTENT")
	img := scriptImage(ts, args[1])
	if place, ok := strings.CutPrefix(args[0], "oci-layout://"); ok {
		dir, tag, _ := strings.Cut(place, ":")
		p, err := layout.FromPath(ts.MkAbs(dir))
		if err != nil {
			p, err = layout.Write(ts.MkAbs(dir), empty.Index)
		}
		ts.Check(err)
		ts.Check(p.ReplaceImage(img, match.Name(tag), layout.WithAnnotations(map[string]string{ocispec.AnnotationRefName: tag})))
		return
	}
	ref, err := name.ParseReference(args[0])
	ts.Check(err)
	ts.Check(remote.Write(ref, img))
}

// scriptImage makes an image of one layer, for this machine's architecture.
func scriptImage(ts *testscript.TestScript, content string) v1.Image {
	img, err := mutate.ConfigFile(mutate.MediaType(empty.Image, types.OCIManifestSchema1), &v1.ConfigFile{
		OS: "linux", Architecture: runtime.GOARCH,
		Config: v1.Config{Labels: map[string]string{"content": content}},
	})
	ts.Check(err)
	img, err = mutate.AppendLayers(img, static.NewLayer([]byte(content), types.OCIUncompressedLayer))
	ts.Check(err)
	return img
}
