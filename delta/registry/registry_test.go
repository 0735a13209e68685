package registry

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/flotobuild/flotobuild/delta/image"
)

// imageOf makes an image of one layer with a file of some lines.
func imageOf(t *testing.T, arch string, release int) v1.Image {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	var content strings.Builder
	for n := range 5000 {
		fmt.Fprintf(&content, "%s line %d of a file\n", arch, n*n)
	}
	fmt.Fprintf(&content, "release %d\n", release)
	w.WriteHeader(&tar.Header{Name: "file", Size: int64(content.Len()), Mode: 0o644})
	io.WriteString(w, content.String())
	w.Close()
	img, err := mutate.ConfigFile(mutate.MediaType(empty.Image, types.OCIManifestSchema1), &v1.ConfigFile{
		OS: "linux", Architecture: arch, RootFS: v1.RootFS{Type: "layers"},
	})
	if err != nil {
		t.Fatal(err)
	}
	img, err = mutate.AppendLayers(img, static.NewLayer(b.Bytes(), types.OCIUncompressedLayer))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func open(t *testing.T, img v1.Image) *image.Image {
	t.Helper()
	p, err := layout.Write(filepath.Join(t.TempDir(), "layout"), empty.Index)
	if err == nil {
		err = p.AppendImage(img)
	}
	if err != nil {
		t.Fatal(err)
	}
	i, err := image.Open(t.Context(), string(p), image.Choice{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close() })
	return i
}

func deltaOf(t *testing.T, old, target v1.Image) *image.File {
	t.Helper()
	var b bytes.Buffer
	if _, err := image.Create(t.Context(), &b, open(t, old), open(t, target), image.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "delta")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := image.Read(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// A tampering registry changes the bodies of blobs once it is told to.
type tampering struct {
	http.Handler
	on bool
}

func (h *tampering) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.on || r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/blobs/") {
		h.Handler.ServeHTTP(w, r)
		return
	}
	answer := httptest.NewRecorder()
	h.Handler.ServeHTTP(answer, r)
	b := answer.Body.Bytes()
	if len(b) > 0 {
		b[len(b)/2] ^= 1
	}
	w.WriteHeader(answer.Code)
	w.Write(b)
}

func serve(t *testing.T) (*tampering, string) {
	t.Helper()
	h := &tampering{Handler: registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(true))}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return h, strings.TrimPrefix(s.URL, "http://")
}

func TestPlatforms(t *testing.T) {
	_, host := serve(t)
	ref := host + "/app:2"
	amd1, amd2, arm1, arm2 := imageOf(t, "amd64", 1), imageOf(t, "amd64", 2), imageOf(t, "arm64", 1), imageOf(t, "arm64", 2)
	index := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: amd2, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
		mutate.IndexAddendum{Add: arm2, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64"}}})
	r, err := name.ParseReference(ref)
	if err == nil {
		err = remote.WriteIndex(r, index)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []*image.File{deltaOf(t, amd1, amd2), deltaOf(t, arm1, arm2)} {
		if _, err := Push(t.Context(), f, ref); err != nil {
			t.Fatal(err)
		}
	}
	if all, err := Find(t.Context(), ref, "", nil); err != nil || len(all) != 2 {
		t.Errorf("%d deltas, %v", len(all), err)
	}
	want, err := arm2.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	for what, find := range map[string]func() ([]Offer, error){
		"by platform": func() ([]Offer, error) { return Find(t.Context(), ref, "linux/arm64", nil) },
		"by image":    func() ([]Offer, error) { return Find(t.Context(), ref, "", open(t, arm1)) },
	} {
		all, err := find()
		if err != nil || len(all) != 1 || all[0].Image.Digest.String() != want.String() {
			t.Errorf("%s: %+v, %v", what, all, err)
		}
	}
	if _, err := Find(t.Context(), ref, "", open(t, imageOf(t, "riscv64", 1))); !errors.Is(err, ErrNone) {
		t.Errorf("out of another image: %v", err)
	}
	if _, err := Push(t.Context(), deltaOf(t, amd1, arm1), ref); !errors.Is(err, ErrOtherImage) {
		t.Errorf("a delta for another image: %v", err)
	}
}

func TestTampering(t *testing.T) {
	h, host := serve(t)
	ref := host + "/app:2"
	one, two := imageOf(t, "amd64", 1), imageOf(t, "amd64", 2)
	r, err := name.ParseReference(ref)
	if err == nil {
		err = remote.Write(r, two)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Push(t.Context(), deltaOf(t, one, two), ref); err != nil {
		t.Fatal(err)
	}
	all, err := Find(t.Context(), ref, "", open(t, one))
	if err != nil {
		t.Fatal(err)
	}
	if err := all[0].Write(t.Context(), io.Discard); err != nil {
		t.Errorf("untouched: %v", err)
	}
	h.on = true
	if err := all[0].Write(t.Context(), io.Discard); err == nil {
		t.Error("changed blobs are taken")
	}
	if _, err := Find(t.Context(), ref, "", nil); err == nil {
		t.Error("a changed description is taken")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Find(ctx, ref, "", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
