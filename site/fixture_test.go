package site

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/store"
)

// A maker makes patches for the site "north".
type maker struct {
	t     testing.TB
	dir   string // where they are written
	site  string
	blobs map[digest.Digest][]byte
	files map[string]string
}

func newMaker(t testing.TB) *maker {
	return &maker{
		t: t, dir: t.TempDir(), site: "north", blobs: make(map[digest.Digest][]byte),
		files: map[string]string{
			"conf/plant.hcl":         strings.Repeat("a plant has valves\n", 20),
			"conf/bin/run":           "#!/bin/sh\n",
			"conf/bin/latest":        "../plant.hcl",
			"conf/Prüfung.txt":       "ä",
			"conf/.GIT_DESCRIBE":     "1.0",
			"conf/.GIT_TIMESTAMP":    "0",
			"documents/handbook.md":  "# Handbook\n",
			"manifest/manifest.json": `{"formatVersion":1,"site":"north","project":"plant","hosts":[],"containers":[],"documents":[]}`,
		},
	}
}

func (m *maker) put(mediaType string, b []byte) ocispec.Descriptor {
	d := store.Describe(mediaType, b)
	m.blobs[d.Digest] = b
	return d
}

// layer makes a layer of one file.
func (m *maker) layer(name string, content []byte, c store.Compression) patch.Layer {
	m.t.Helper()
	var plain, blob bytes.Buffer
	w := tar.NewWriter(&plain)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
		m.t.Fatal(err)
	}
	w.Write(content)
	w.Close()
	z, err := c.NewWriter(&blob)
	if err != nil {
		m.t.Fatal(err)
	}
	z.Write(plain.Bytes())
	z.Close()
	d := m.put(c.MediaType(), blob.Bytes())
	return patch.Layer{DiffID: digest.FromBytes(plain.Bytes()), Digest: d.Digest, MediaType: d.MediaType, Size: d.Size}
}

func (m *maker) image(name string, layers ...patch.Layer) patch.Image {
	var ids []digest.Digest
	var descs []ocispec.Descriptor
	for _, l := range layers {
		ids, descs = append(ids, l.DiffID), append(descs, l.Descriptor())
	}
	config, cd := store.NewConfig(store.ConfigOptions{Platform: ocispec.Platform{OS: "linux", Architecture: "amd64"}, DiffIDs: ids})
	m.put(cd.MediaType, config)
	manifest, md := store.NewManifest(cd, descs)
	m.put(md.MediaType, manifest)
	cache := m.put("", []byte("cache of "+name))
	return patch.Image{
		Name: name, Address: "image_set.all.image." + name, ID: cd.Digest, Descriptor: md,
		Manifests: []patch.Manifest{{Platform: "linux/amd64", Descriptor: md, Config: cd, Layers: layers}},
		Cache:     []patch.CacheRef{{Platform: "linux/amd64", Digest: cache.Digest, Size: cache.Size}},
	}
}

// describe makes a description on top of parents.
func (m *maker) describe(day int, images []patch.Image, parents ...*patch.Header) *patch.Description {
	created := patch.NewTime(time.Date(2026, 3, 1, 11, 38, 5, 717e6, time.UTC).AddDate(0, 0, day))
	rev := fmt.Sprintf("plant-1.%d", day)
	d := &patch.Description{
		CreationDate: created, ID: patch.NewID(created.Time, rev, m.site), Revision: rev, Name: "plant", SiteName: m.site, RootDefinitionFile: "plant.hcl",
		Flotobuild: patch.Additions{FormatVersion: patch.FormatVersion, Version: fmt.Sprintf("1.%d.0", day)},
	}
	var known []*patch.Description
	for _, p := range parents {
		d.Flotobuild.Parents = append(d.Flotobuild.Parents, p.Ref())
		d.ParentID = d.Flotobuild.Parents[0].ID
		known = append(known, p.Description)
	}
	d.SetImages(images, known)
	m.contents(d, images, known)
	return d
}

// contents lists what the patch carries: what no parent has, and the records.
func (m *maker) contents(d *patch.Description, images []patch.Image, parents []*patch.Description) {
	has := make(map[digest.Digest]bool)
	for _, p := range parents {
		for _, b := range patch.Blobs(p.Flotobuild.Images) {
			has[b.Digest] = true
		}
	}
	layers := make(map[digest.Digest]patch.Layer)
	for _, i := range images {
		for _, c := range i.Cache {
			delete(has, c.Digest)
		}
		for _, l := range i.Manifests[0].Layers {
			layers[l.Digest] = l
		}
	}
	var contents []patch.Content
	for name, text := range m.files {
		c := patch.NewContent(name, []byte(text))
		switch name {
		case "conf/bin/run":
			c.Mode = patch.ModeExecutable
		case "conf/bin/latest":
			c.Mode = patch.ModeSymlink
		}
		contents = append(contents, c)
	}
	for _, b := range patch.Blobs(images) {
		if has[b.Digest] {
			continue
		}
		contents = append(contents, patch.NewBlobContent(b.Digest, b.Size))
		if l, ok := layers[b.Digest]; ok {
			d.Flotobuild.Transport = append(d.Flotobuild.Transport, patch.LayerTransport{DiffID: l.DiffID, Kind: patch.TransportFull})
		}
	}
	d.SetContents(contents)
}

func (m *maker) open(_ context.Context, c patch.Content) (io.ReadCloser, error) {
	if b, ok := m.blobs[c.Digest()]; ok {
		return io.NopCloser(bytes.NewReader(b)), nil
	}
	return io.NopCloser(strings.NewReader(m.files[c.Path])), nil
}

// write writes a patch and gives its path.
func (m *maker) write(d *patch.Description, o patch.CreateOptions) string {
	m.t.Helper()
	w, err := patch.CreateWith(m.dir, d, o)
	if err != nil {
		m.t.Fatal(err)
	}
	defer w.Abort()
	if err := w.AddAll(context.Background(), m.open); err != nil {
		m.t.Fatal(err)
	}
	if err := w.Publish(); err != nil {
		m.t.Fatal(err)
	}
	return w.Path()
}

func header(t testing.TB, path string) *patch.Header {
	t.Helper()
	p, err := patch.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	return &p.Header
}

// chain writes an initial patch and n-1 that follow each other; each changes
// one layer of the first of two images.
func (m *maker) chain(n int) []string {
	m.t.Helper()
	base := m.layer("etc/os-release", bytes.Repeat([]byte("ID=plant\n"), 2000), store.Gzip)
	control := m.image("control", base, m.layer("app", []byte("control 1"), store.Zstd))
	var out []string
	var parents []*patch.Header
	for day := range n {
		gateway := m.image("gateway", base, m.layer("app", fmt.Appendf(nil, "gateway %d", day), store.Zstd), m.layer("data", noise(day, 3<<10), store.None))
		path := m.write(m.describe(day, []patch.Image{control, gateway}, parents...), patch.CreateOptions{})
		out, parents = append(out, path), []*patch.Header{header(m.t, path)}
	}
	return out
}

// noise gives bytes that do not compress.
func noise(seed, n int) []byte {
	var b []byte
	for d := digest.FromString(fmt.Sprint(seed)); len(b) < n; d = digest.FromString(string(d)) {
		b = append(b, d.Encoded()...)
	}
	return b[:n]
}

func newSite(t testing.TB) *Site {
	t.Helper()
	s, err := Init(filepath.Join(t.TempDir(), "site"), InitOptions{Name: "north", By: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustImport(t testing.TB, s *Site, path string) *Imported {
	t.Helper()
	i, err := s.Import(t.Context(), Source{Path: path}, ImportOptions{By: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// sound fails where the store breaks a promise: a listed patch that is not
// whole, an index that names other images than those of the patches, or a blob
// that is not what its name says.
func sound(t testing.TB, s *Site) {
	t.Helper()
	all, err := s.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string]bool)
	for _, e := range all {
		p, err := s.Patch(e.ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.checkWhole(p); err != nil {
			t.Error(err)
		}
		for _, c := range p.Header.Description.Flotobuild.Contents {
			if strings.HasPrefix(c.Path, patch.BlobsDir) || strings.HasPrefix(c.Path, patch.DeltasDir) {
				continue
			}
			got, err := readEntry(p, c)
			if err != nil || digest.FromBytes(got) != c.Digest() {
				t.Errorf("patch %s: entry %s is not what it was: %v", e.ID, c.Path, err)
			}
		}
		for _, i := range p.Images() {
			names[RefName(i.Name, e.ID)] = true
		}
	}
	checkIndex(t, s, names)
	blobs, err := s.Blobs().List()
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range blobs {
		if err := s.Blobs().Check(t.Context(), b.Digest, b.Size); err != nil {
			t.Error(err)
		}
	}
}

func readEntry(p *Patch, c patch.Content) ([]byte, error) {
	name := filepath.Join(p.Dir(), filepath.FromSlash(c.Path))
	if c.Mode == patch.ModeSymlink {
		target, err := os.Readlink(name)
		return []byte(target), err
	}
	return os.ReadFile(name)
}

func checkIndex(t testing.TB, s *Site, want map[string]bool) {
	t.Helper()
	images, err := s.Blobs().Images()
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]bool)
	for _, i := range images {
		got[i.Annotations[ocispec.AnnotationRefName]] = true
		if ok, err := s.Blobs().Has(i.Digest, i.Size); !ok || err != nil {
			t.Errorf("the index names %s, which is not there: %v", i.Digest, err)
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("the index names %q instead of %q", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

// leaks lists what does not belong to the store when nothing is under way.
func leaks(t testing.TB, s *Site) []string {
	t.Helper()
	var out []string
	for _, name := range []string{stagingDir, "."} {
		entries, err := os.ReadDir(s.path(name))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if name == stagingDir || temporary(e.Name()) || e.Name() == journalFile {
				out = append(out, filepath.Join(name, e.Name()))
			}
		}
	}
	a, err := s.readActive()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range compiledFolders(t, s) {
		if !slices.ContainsFunc(a.refs(), func(r Ref) bool { return r.Values == name }) {
			out = append(out, filepath.Join(compiledDir, name))
		}
	}
	needed := make(map[digest.Digest]bool)
	records, err := s.records()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		all, err := s.readNeeds(r.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range all {
			needed[n.Digest] = true
		}
	}
	entries, err := os.ReadDir(s.path("blobs", "sha256"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !needed[digest.NewDigestFromEncoded(digest.SHA256, e.Name())] {
			out = append(out, "blob "+e.Name())
		}
	}
	return out
}
