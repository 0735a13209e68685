package docker

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/platforms"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/site/docker/dockertest"
	"github.com/flotobuild/flotobuild/store"
)

func environment(vars map[string]string) Environment {
	return Environment{Getenv: func(name string) string { return vars[name] }, Home: "/nowhere"}
}

func start(t *testing.T) *Engine {
	t.Helper()
	t.Parallel()
	p, err := environment(nil).Resolve(dockertest.Start(t))
	if err != nil {
		t.Fatal(err)
	}
	e, err := Connect(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func images(t *testing.T) dockertest.Images {
	s, err := store.Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dockertest.Images{T: t, Store: s}
}

// A recorder tells which blobs are read.
type recorder struct {
	store.Source
	read map[digest.Digest]bool
}

func (r *recorder) Blob(ctx context.Context, d digest.Digest) (store.Blob, error) {
	r.read[d] = true
	return r.Source.Blob(ctx, d)
}

func random(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}

func TestLoad(t *testing.T) {
	e, m := start(t), images(t)
	base := m.Rootfs(store.Zstd)
	middle, top, other := m.Layer(store.Gzip, "a", random(100_000)), m.Layer(store.None, "b", "top"), m.Layer(store.Zstd, "c", "other")
	one := m.Image("one", base, middle, top)
	two := m.Image("two", base, middle, other, top) // top is not on the same layers
	load := func(images ...*patch.Image) map[digest.Digest]bool {
		t.Helper()
		src := &recorder{m.Store, make(map[digest.Digest]bool)}
		plans, err := e.PlanLoads(t.Context(), images)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range plans {
			var sent int64
			if err := e.Load(t.Context(), src, &l, func(n int64) { sent = n }); err != nil {
				t.Fatal(err)
			}
			if sent != l.Size() {
				t.Errorf("%d bytes of %s were sent, and %d announced", sent, l.Image, l.Size())
			}
		}
		return src.read
	}
	if read := load(&one); !read[base.Digest] || !read[middle.Digest] || !read[top.Digest] {
		t.Errorf("not all layers were sent to an empty engine: %v", read)
	}
	if read := load(&two); read[base.Digest] || read[middle.Digest] || !read[other.Digest] || !read[top.Digest] {
		t.Errorf("other layers than the missing ones were sent: %v", read)
	}
	if read := load(&one, &two); len(read) != 0 {
		t.Errorf("blobs of images that are there were read: %v", read)
	}

	for _, i := range []patch.Image{one, two} {
		r, err := e.client.ImageInspect(t.Context(), i.ID.String())
		if err != nil {
			t.Fatal(err)
		}
		if got := len(r.RootFS.Layers); got != len(i.Manifests[0].Layers) {
			t.Errorf("image %s has %d layers", i.Name, got)
		}
	}
}

func TestLoadLost(t *testing.T) {
	e, m := start(t), images(t)
	base := m.Rootfs(store.Gzip)
	one, two := m.Image("one", base), m.Image("two", base, m.Layer(store.Gzip, "c", "other"))
	plans, err := e.PlanLoads(t.Context(), []*patch.Image{&one, &two})
	if err != nil {
		t.Fatal(err)
	}
	// The base was to come with the first image, which is not loaded.
	if len(plans[1].Missing) != 1 {
		t.Fatalf("%d layers are missing of the second image", len(plans[1].Missing))
	}
	if err := e.Load(t.Context(), m.Store, &plans[1], nil); err != nil {
		t.Fatal(err)
	}
	if ok, err := e.Has(t.Context(), two.ID); !ok || err != nil {
		t.Errorf("has %v, %v", ok, err)
	}
}

func TestLoadDamaged(t *testing.T) {
	e, m := start(t), images(t)
	for _, c := range []store.Compression{store.None, store.Gzip, store.Zstd} {
		l := m.Layer(c, "a", random(1000))
		i := m.Image("one", l)
		name := filepath.Join(m.Store.Dir(), "blobs", "sha256", l.Digest.Encoded())
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)/2] ^= 1
		os.WriteFile(name, b, 0o644)
		plans, err := e.PlanLoads(t.Context(), []*patch.Image{&i})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Load(t.Context(), m.Store, &plans[0], nil); err == nil || !strings.Contains(err.Error(), `cannot load image "one"`) {
			t.Errorf("%s: %v", c, err)
		} else if c == store.None && !verified(err) {
			t.Errorf("%v does not say what is damaged", err)
		}
		if ok, _ := e.Has(t.Context(), i.ID); ok {
			t.Errorf("%s: the image is there", c)
		}
	}
}

// TestLayout reads an archive for engines whose images containerd keeps.
func TestLayout(t *testing.T) {
	m := images(t)
	i := m.Image("one", m.Layer(store.Zstd, "a", "1"), m.Layer(store.Gzip, "b", "2"))
	e := &Engine{complete: true, zstd: true, platform: platforms.DefaultSpec()}
	chosen, err := e.Choose(&i)
	if err != nil || e.ImageID(chosen) != i.Descriptor.Digest {
		t.Fatalf("%+v, %v", chosen, err)
	}
	if known, err := e.chains(t.Context()); err != nil || len(e.lacking(chosen, known)) != 2 {
		t.Fatal("layers were left out")
	}
	var b bytes.Buffer
	a := &archive{ctx: t.Context(), src: m.Store, manifest: chosen, layers: chosen.Layers, zstd: true}
	if err := a.write(&b, true, true); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for r := tar.NewReader(&b); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		os.MkdirAll(filepath.Join(dir, filepath.Dir(h.Name)), 0o755)
		os.WriteFile(filepath.Join(dir, h.Name), data, 0o644)
	}
	l, err := layout.FromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	index, err := l.ImageIndex()
	if err != nil {
		t.Fatal(err)
	}
	img, err := index.Image(v1.Hash{Algorithm: "sha256", Hex: i.Descriptor.Digest.Encoded()})
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(img, validate.Fast); err != nil {
		t.Error(err)
	}
}

// TestFarArchive has an old engine on another machine: the layers are plain, and
// the whole is compressed.
func TestFarArchive(t *testing.T) {
	m := images(t)
	i := m.Image("one", m.Layer(store.Zstd, "a", strings.Repeat("1", 100_000)))
	var far, near bytes.Buffer
	for local, b := range map[bool]*bytes.Buffer{false: &far, true: &near} {
		a := &archive{ctx: t.Context(), src: m.Store, manifest: &i.Manifests[0], layers: i.Manifests[0].Layers}
		if err := a.write(b, false, local); err != nil {
			t.Fatal(err)
		}
	}
	if far.Len() > 10_000 || near.Len() < 100_000 {
		t.Errorf("%d bytes for another machine, %d for this one", far.Len(), near.Len())
	}
	z, err := gzip.NewReader(&far)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(z); err != nil || !bytes.Equal(b, near.Bytes()) {
		t.Errorf("the archives differ: %v", err)
	}
}

func verified(err error) bool { return strings.Contains(err.Error(), verify.ErrContent.Error()) }

func TestTags(t *testing.T) {
	e, m := start(t), images(t)
	one, two := m.Image("one", m.Layer(store.Gzip, "a", "1")), m.Image("two", m.Layer(store.Gzip, "a", "2"))
	plans, err := e.PlanLoads(t.Context(), []*patch.Image{&one, &two})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range plans {
		if err := e.Load(t.Context(), m.Store, &l, nil); err != nil {
			t.Fatal(err)
		}
		if err := e.Tag(t.Context(), l.ID, "plant/it:1.0"); err != nil {
			t.Fatal(err)
		}
	}
	if gone, err := e.Untag(t.Context(), "plant/it:1.0"); !gone || err != nil {
		t.Errorf("gone %v, %v", gone, err)
	}
	if ok, _ := e.Has(t.Context(), two.ID); ok {
		t.Error("an image without a name is there")
	}
	if gone, err := e.Untag(t.Context(), "plant/it:1.0"); !gone || err != nil {
		t.Errorf("what is gone already: %v, %v", gone, err)
	}
}
