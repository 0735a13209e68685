package patch

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/store"
)

// A site is what a test's patches are made from.
type site struct {
	t     testing.TB
	dir   string
	blobs map[digest.Digest][]byte
	conf  map[string]string
	modes map[string]Mode
}

func newSite(t testing.TB) *site {
	return &site{
		t: t, dir: t.TempDir(), blobs: make(map[digest.Digest][]byte),
		conf: map[string]string{
			"conf/plant.hcl":     strings.Repeat("a plant has valves\n", 20),
			"conf/bin/run":       "#!/bin/sh\n",
			"conf/bin/latest":    "../plant.hcl",
			"conf/Prüfung.txt":   "ä",
			"conf/.GIT_DESCRIBE": "1.0",
		},
		modes: map[string]Mode{"conf/bin/run": ModeExecutable, "conf/bin/latest": ModeSymlink},
	}
}

func (s *site) put(mediaType string, b []byte) ocispec.Descriptor {
	d := store.Describe(mediaType, b)
	s.blobs[d.Digest] = b
	return d
}

// layer makes a layer of one file.
func (s *site) layer(name, content string) Layer {
	s.t.Helper()
	var plain, blob bytes.Buffer
	w := tar.NewWriter(&plain)
	err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))})
	if err != nil {
		s.t.Fatal(err)
	}
	io.WriteString(w, content)
	w.Close()
	z := gzip.NewWriter(&blob)
	z.Write(plain.Bytes())
	z.Close()
	d := s.put(ocispec.MediaTypeImageLayerGzip, blob.Bytes())
	return Layer{DiffID: digest.FromBytes(plain.Bytes()), Digest: d.Digest, MediaType: d.MediaType, Size: d.Size}
}

func (s *site) image(name string, layers ...Layer) Image {
	var ids []digest.Digest
	var descs []ocispec.Descriptor
	for _, l := range layers {
		ids, descs = append(ids, l.DiffID), append(descs, l.Descriptor())
	}
	config, cd := store.NewConfig(store.ConfigOptions{Platform: ocispec.Platform{OS: "linux", Architecture: "amd64"}, DiffIDs: ids})
	s.put(cd.MediaType, config)
	manifest, md := store.NewManifest(cd, descs)
	s.put(md.MediaType, manifest)
	cache := s.put("", []byte("cache of "+name))
	return Image{
		Name: name, Address: "image_set.all.image." + name, ID: cd.Digest, Descriptor: md,
		Manifests: []Manifest{{Platform: "linux/amd64", Descriptor: md, Config: cd, Layers: layers}},
		Cache:     []CacheRef{{Platform: "linux/amd64", Digest: cache.Digest, Size: cache.Size}},
	}
}

// describe makes a complete description on top of parents.
func (s *site) describe(day int, images []Image, parents ...*Header) *Description {
	created := NewTime(time.Date(2026, 3, day, 11, 38, 5, 717e6, time.UTC))
	rev := fmt.Sprintf("plant-1.%d", day)
	d := &Description{
		CreationDate: created, ID: NewID(created.Time, rev, "north"), Revision: rev, Name: "plant", SiteName: "north", RootDefinitionFile: "plant.hcl",
		Flotobuild: Additions{FormatVersion: FormatVersion, Version: fmt.Sprintf("1.%d.0", day)},
	}
	var known []*Description
	has := make(map[digest.Digest]bool)
	for _, p := range parents {
		d.Flotobuild.Parents = append(d.Flotobuild.Parents, p.Ref())
		d.ParentID = d.Flotobuild.Parents[0].ID
		known = append(known, p.Description)
		for _, b := range Blobs(p.Description.Flotobuild.Images) {
			has[b.Digest] = true
		}
	}
	d.SetImages(images, known)
	var contents []Content
	for name, text := range s.conf {
		c := NewContent(name, []byte(text))
		c.Mode = s.modes[name]
		if c.Mode == 0 {
			c.Mode = ModeFile
		}
		contents = append(contents, c)
	}
	caches := make(map[digest.Digest]bool)
	layers := make(map[digest.Digest]Layer)
	for _, i := range images {
		for _, c := range i.Cache {
			caches[c.Digest] = true
		}
		for _, l := range i.Manifests[0].Layers {
			layers[l.Digest] = l
		}
	}
	for _, b := range Blobs(images) {
		if has[b.Digest] && !caches[b.Digest] {
			continue
		}
		contents = append(contents, NewBlobContent(b.Digest, b.Size))
		if l, ok := layers[b.Digest]; ok {
			d.Flotobuild.Transport = append(d.Flotobuild.Transport, LayerTransport{DiffID: l.DiffID, Kind: TransportFull})
		}
	}
	d.SetContents(contents)
	return d
}

func (s *site) open(_ context.Context, c Content) (io.ReadCloser, error) {
	if b, ok := s.blobs[c.Digest()]; ok {
		return io.NopCloser(bytes.NewReader(b)), nil
	}
	return io.NopCloser(strings.NewReader(s.conf[c.Path])), nil
}

// write writes a patch and gives its path.
func (s *site) write(d *Description) string {
	s.t.Helper()
	w, err := Create(s.dir, d)
	if err != nil {
		s.t.Fatal(err)
	}
	defer w.Abort()
	if err := w.AddAll(s.t.Context(), s.open); err != nil {
		s.t.Fatal(err)
	}
	if err := w.Publish(); err != nil {
		s.t.Fatal(err)
	}
	return w.Path()
}

// initial writes a small initial patch of two images that share a layer.
func (s *site) initial() string {
	base := s.layer("etc/os-release", "ID=plant\n")
	return s.write(s.describe(1, []Image{
		s.image("gateway", base, s.layer("app", "gateway 1")),
		s.image("control", base, s.layer("app", "control 1")),
	}))
}

func mustOpen(t testing.TB, path string) *Reader {
	t.Helper()
	r, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// nothingIn fails where a folder is not empty.
func nothingIn(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) > 0 {
		t.Errorf("%s is not empty: %v, %v", filepath.Base(dir), entries, err)
	}
}
