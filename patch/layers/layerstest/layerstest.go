// Package layerstest makes patch files with deltas for tests.
package layerstest

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/store"
)

// Site is the name of the site that the patches are for.
const Site = "north"

// A Maker makes patches of one image with one layer in a folder.
type Maker struct {
	t     testing.TB
	dir   string
	day   int
	blobs map[digest.Digest][]byte
}

// A Patch is a patch file that is open until the test ends.
type Patch struct {
	*patch.Reader
	Path  string
	Layer patch.Layer
}

// New makes a maker.
func New(t testing.TB) *Maker {
	return &Maker{t: t, dir: t.TempDir(), blobs: make(map[digest.Digest][]byte)}
}

func (m *Maker) check(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

func (m *Maker) put(mediaType string, b []byte) ocispec.Descriptor {
	d := store.Describe(mediaType, b)
	m.blobs[d.Digest] = b
	return d
}

// Layer makes a layer: layers with other n differ in few of their many bytes.
func (m *Maker) Layer(n int) patch.Layer {
	m.t.Helper()
	rnd := rand.New(rand.NewPCG(1, 1))
	var content, plain, blob bytes.Buffer
	for i := range 5000 {
		if i == 100*n {
			fmt.Fprintf(&content, "this is %d\n", n)
		}
		fmt.Fprintf(&content, "%x\n", rnd.Uint64())
	}
	w := tar.NewWriter(&plain)
	m.check(w.WriteHeader(&tar.Header{Name: "app", Mode: 0o644, Size: int64(content.Len())}))
	_, err := content.WriteTo(w)
	m.check(err)
	m.check(w.Close())
	z, err := store.Zstd.NewWriter(&blob)
	m.check(err)
	_, err = z.Write(plain.Bytes())
	m.check(err)
	m.check(z.Close())
	d := m.put(store.Zstd.MediaType(), blob.Bytes())
	return patch.Layer{DiffID: digest.FromBytes(plain.Bytes()), Digest: d.Digest, MediaType: d.MediaType, Size: d.Size}
}

func (m *Maker) image(l patch.Layer) patch.Image {
	config, cd := store.NewConfig(store.ConfigOptions{Platform: ocispec.Platform{OS: "linux", Architecture: "amd64"}, DiffIDs: []digest.Digest{l.DiffID}})
	m.put(cd.MediaType, config)
	manifest, md := store.NewManifest(cd, []ocispec.Descriptor{l.Descriptor()})
	m.put(md.MediaType, manifest)
	return patch.Image{
		Name: "app", Address: "image_set.all.image.app", ID: cd.Digest, Descriptor: md,
		Manifests: []patch.Manifest{{Platform: "linux/amd64", Descriptor: md, Config: cd, Layers: []patch.Layer{l}}},
	}
}

// Initial writes an initial patch.
func (m *Maker) Initial(l patch.Layer) *Patch {
	m.t.Helper()
	return m.write(m.describe(l, nil), l)
}

// Whole writes a patch on top of parent that carries the layer whole.
func (m *Maker) Whole(parent *Patch, l patch.Layer) *Patch {
	m.t.Helper()
	return m.write(m.describe(l, &parent.Header), l)
}

// Delta writes a patch on top of parent whose layer is a delta against that of
// parent.
func (m *Maker) Delta(parent *Patch, l patch.Layer) *Patch {
	m.t.Helper()
	d := m.describe(l, &parent.Header)
	AsDelta(m.t, d, m.blobs, l, parent.Layer)
	return m.write(d, l)
}

func (m *Maker) describe(l patch.Layer, parent *patch.Header) *patch.Description {
	m.day++
	created := patch.NewTime(time.Date(2026, 3, 1, 11, 38, 5, 717e6, time.UTC).AddDate(0, 0, m.day))
	rev := fmt.Sprintf("plant-1.%d", m.day)
	d := &patch.Description{
		CreationDate: created, ID: patch.NewID(created.Time, rev, Site), Revision: rev, Name: "plant", SiteName: Site, RootDefinitionFile: "plant.hcl",
		Flotobuild: patch.Additions{Version: fmt.Sprintf("1.%d.0", m.day)},
	}
	var known []*patch.Description
	if parent != nil {
		d.Flotobuild.Parents, d.ParentID = []patch.ParentRef{parent.Ref()}, parent.Ref().ID
		known = append(known, parent.Description)
	}
	d.SetImages([]patch.Image{m.image(l)}, known)
	contents := m.contents(d, parent)
	for _, c := range contents {
		if c.Path == patch.BlobEntry(l.Digest) {
			d.Flotobuild.Transport = []patch.LayerTransport{{DiffID: l.DiffID, Kind: patch.TransportFull}}
		}
	}
	d.SetContents(contents)
	return d
}

// files are the entries that are no blobs.
var files = map[string]string{"conf/plant.hcl": "a plant has valves\n"}

// contents lists what the parent does not have.
func (m *Maker) contents(d *patch.Description, parent *patch.Header) []patch.Content {
	var out []patch.Content
	for name, text := range files {
		out = append(out, patch.NewContent(name, []byte(text)))
	}
	has := make(map[digest.Digest]bool)
	if parent != nil {
		for _, b := range patch.Blobs(parent.Description.Flotobuild.Images) {
			has[b.Digest] = true
		}
	}
	for _, b := range patch.Blobs(d.Flotobuild.Images) {
		if !has[b.Digest] {
			out = append(out, patch.NewBlobContent(b.Digest, b.Size))
		}
	}
	return out
}

func (m *Maker) write(d *patch.Description, l patch.Layer) *Patch {
	m.t.Helper()
	w, err := patch.Create(m.dir, d)
	m.check(err)
	defer w.Abort()
	m.check(w.AddAll(context.Background(), func(_ context.Context, c patch.Content) (io.ReadCloser, error) {
		if b, ok := m.blobs[c.Digest()]; ok {
			return io.NopCloser(bytes.NewReader(b)), nil
		}
		return io.NopCloser(bytes.NewReader([]byte(files[c.Path]))), nil
	}))
	m.check(w.Publish())
	return open(m.t, w.Path(), l)
}

func open(t testing.TB, path string, l patch.Layer) *Patch {
	t.Helper()
	r, err := patch.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return &Patch{r, path, l}
}

// Damaged gives a copy of a patch that carries its layer whole, with a flipped
// bit in the layer.
func (p *Patch) Damaged(t testing.TB) *Patch {
	t.Helper()
	b, err := os.ReadFile(p.Path)
	if err != nil {
		t.Fatal(err)
	}
	blob, err := p.Blob(t.Context(), p.Layer.Digest)
	if err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 200)
	if _, err := blob.ReadAt(head, 0); err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(b, head)
	if at < 0 {
		t.Fatal("the layer is not in the file")
	}
	b[at+100] ^= 1
	path := filepath.Join(t.TempDir(), filepath.Base(p.Path))
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return open(t, path, p.Layer)
}
