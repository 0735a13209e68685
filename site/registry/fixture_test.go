package registry

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/store"
)

// A world is a store with the images of some patches.
type world struct {
	t        testing.TB
	store    *store.Store
	releases []Release
	asked    int // how often a description was opened
}

func newWorld(t testing.TB) *world {
	t.Helper()
	s, err := store.Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return &world{t: t, store: s}
}

func (w *world) put(mediaType string, b []byte) ocispec.Descriptor {
	w.t.Helper()
	d := store.Describe(mediaType, b)
	if err := w.store.Put(context.Background(), d, bytes.NewReader(b)); err != nil {
		w.t.Fatal(err)
	}
	return d
}

// layer makes a layer with one file.
func (w *world) layer(content string) patch.Layer {
	w.t.Helper()
	var plain, blob bytes.Buffer
	tw := tar.NewWriter(&plain)
	tw.WriteHeader(&tar.Header{Name: "file", Mode: 0o644, Size: int64(len(content))})
	io.WriteString(tw, content)
	tw.Close()
	z, err := store.Gzip.NewWriter(&blob)
	if err != nil {
		w.t.Fatal(err)
	}
	z.Write(plain.Bytes())
	z.Close()
	d := w.put(store.Gzip.MediaType(), blob.Bytes())
	return patch.Layer{DiffID: digest.FromBytes(plain.Bytes()), Digest: d.Digest, MediaType: d.MediaType, Size: d.Size}
}

func (w *world) manifest(arch string, layers ...patch.Layer) patch.Manifest {
	var ids []digest.Digest
	var descs []ocispec.Descriptor
	for _, l := range layers {
		ids, descs = append(ids, l.DiffID), append(descs, l.Descriptor())
	}
	config, cd := store.NewConfig(store.ConfigOptions{Platform: ocispec.Platform{OS: "linux", Architecture: arch}, DiffIDs: ids})
	manifest, md := store.NewManifest(cd, descs)
	w.put(cd.MediaType, config)
	w.put(md.MediaType, manifest)
	return patch.Manifest{Platform: "linux/" + arch, Descriptor: md, Config: cd, Layers: layers}
}

func (w *world) image(name, content string) patch.Image {
	m := w.manifest("amd64", w.layer("base"), w.layer(content))
	return patch.Image{Name: name, ID: m.Config.Digest, Descriptor: m.Descriptor, Manifests: []patch.Manifest{m}}
}

// multi makes an image for two platforms.
func (w *world) multi(name string) patch.Image {
	i := patch.Image{Name: name}
	var descs []ocispec.Descriptor
	for _, arch := range []string{"amd64", "arm64"} {
		m := w.manifest(arch, w.layer(name+" for "+arch))
		d := m.Descriptor
		d.Platform = &ocispec.Platform{OS: "linux", Architecture: arch}
		i.Manifests, descs = append(i.Manifests, m), append(descs, d)
	}
	index, d := store.NewIndex(descs)
	w.put(d.MediaType, index)
	i.ID, i.Descriptor = d.Digest, d
	return i
}

// release adds a patch of a day.
func (w *world) release(day int, version string, images ...patch.Image) *patch.Description {
	d := &patch.Description{
		ID:           fmt.Sprintf("2026-03-%02d-plant.north", day),
		CreationDate: patch.NewTime(time.Date(2026, 3, day, 0, 0, 0, 0, time.UTC)),
	}
	d.Flotobuild.Version, d.Flotobuild.Images = version, images
	w.releases = append(w.releases, Release{
		ID: d.ID, Digest: digest.FromString(d.ID),
		Open: func(context.Context) (*patch.Description, error) { w.asked++; return d, nil },
	})
	return d
}

func (w *world) activate(n int) {
	for i := range w.releases {
		w.releases[i].Active = i == n
	}
}

func (w *world) handler() *Handler {
	return New(Options{
		Blobs:    w.store,
		Releases: func(context.Context) ([]Release, error) { return append([]Release{}, w.releases...), nil },
	})
}

// serve starts a server on the loopback interface and gives its host and port.
func (w *world) serve() string {
	s := httptest.NewServer(w.handler())
	w.t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// plant is a world with two patches, of which the first is active.
func plant(t testing.TB) *world {
	w := newWorld(t)
	w.release(1, "1.0.0", w.image("historian", "one"), w.multi("Web_UI"))
	w.release(2, "1.1.0+3", w.image("historian", "two"), w.multi("Web_UI"))
	w.activate(0)
	return w
}
