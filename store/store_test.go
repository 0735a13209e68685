package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/internal/verify"
)

func newStore(t testing.TB) *Store {
	t.Helper()
	s, err := Create(filepath.Join(t.TempDir(), "store"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t testing.TB, s *Store, mediaType, data string) ocispec.Descriptor {
	t.Helper()
	d := Describe(mediaType, []byte(data))
	if err := s.Put(t.Context(), d, strings.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestPut(t *testing.T) {
	s := newStore(t)
	d := put(t, s, "", "content")
	if err := s.Put(t.Context(), d, failing{}); err != nil {
		t.Errorf("a blob that is there was read again: %v", err)
	}
	b, err := s.Blob(t.Context(), d.Digest)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if got, err := io.ReadAll(io.NewSectionReader(b, 0, b.Size())); err != nil || string(got) != "content" {
		t.Errorf("got %q, %v", got, err)
	}
	if l, err := s.List(); err != nil || len(l) != 1 || l[0] != (Info{d.Digest, 7}) {
		t.Errorf("list: %v, %v", l, err)
	}
	for range 2 {
		if err := s.Delete(d.Digest); err != nil {
			t.Error(err)
		}
	}
	if ok, err := s.Has(d.Digest, d.Size); ok || err != nil {
		t.Errorf("has: %v, %v", ok, err)
	}
	if _, err := s.Blob(t.Context(), d.Digest); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("read") }

func TestPutWrong(t *testing.T) {
	s := newStore(t)
	d := Describe("", []byte("content"))
	for in, want := range map[string]error{"conten": verify.ErrShort, "contents": verify.ErrLong, "konzept": verify.ErrContent} {
		if err := s.Put(t.Context(), d, strings.NewReader(in)); !errors.Is(err, want) {
			t.Errorf("%s: %v", in, err)
		}
	}
	if err := s.Put(t.Context(), d, failing{}); err == nil {
		t.Error("no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Put(ctx, d, strings.NewReader("content")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	for _, bad := range []digest.Digest{"", "sha256:../../x", "sha512:00"} {
		d.Digest = bad
		if err := s.Put(t.Context(), d, strings.NewReader("content")); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
	if l, err := s.List(); len(l) > 0 || err != nil {
		t.Errorf("list: %v, %v", l, err)
	}
	if tmp, _ := filepath.Glob(filepath.Join(s.Dir(), ".flotobuild-tmp-*")); len(tmp) > 0 {
		t.Errorf("left over: %q", tmp)
	}
}

func TestConcurrentPut(t *testing.T) {
	dir := newStore(t).Dir()
	data := bytes.Repeat([]byte("content"), 1e5)
	d := Describe("", data)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			s, err := Create(dir)
			if err == nil {
				err = errors.Join(s.Put(t.Context(), d, bytes.NewReader(data)), s.SetImage(t.Context(), strconv.Itoa(i), d))
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context(), d.Digest, d.Size); err != nil {
		t.Error(err)
	}
	if images, err := s.Images(); err != nil || len(images) != 8 {
		t.Errorf("images: %v, %v", images, err)
	}
}

func TestDamagedBlob(t *testing.T) {
	for name, damage := range map[string]string{"short": "{", "long": `{}{}`, "content": "[]"} {
		for _, read := range []bool{true, false} {
			s := newStore(t)
			d := put(t, s, "", "{}")
			path, _ := s.blob(d.Digest)
			os.Chmod(path, 0o600)
			os.WriteFile(path, []byte(damage), 0o600)
			err := s.Check(t.Context(), d.Digest, d.Size)
			if read {
				_, err = ReadManifest(t.Context(), s, d)
			}
			if err == nil || !read && !wrong(err) {
				t.Errorf("%s: %v", name, err)
			}
			if aside, err := s.SetAside(); err != nil || len(aside) != 1 || aside[0] != d.Digest {
				t.Errorf("%s: set aside %v, %v", name, aside, err)
			}
			put(t, s, "", "{}")
			if err := s.Check(t.Context(), d.Digest, d.Size); err != nil {
				t.Errorf("%s: put again: %v", name, err)
			}
		}
	}
}

func TestWriter(t *testing.T) {
	s := newStore(t)
	for range 2 {
		w, err := s.Writer()
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, "con")
		io.WriteString(w, "tent")
		d, err := w.Commit()
		if err != nil || d.Digest != digest.FromString("content") || d.Size != 7 {
			t.Errorf("got %v, %v", d, err)
		}
	}
	w, err := s.Writer()
	if err != nil {
		t.Fatal(err)
	}
	w.Abort()
	if _, err := w.Commit(); err == nil {
		t.Error("commit after abort: no error")
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("empty folder: %v", err)
	}
	for _, layout := range []string{"", "{", `{"imageLayoutVersion": "2.0.0"}`} {
		os.WriteFile(filepath.Join(dir, ocispec.ImageLayoutFile), []byte(layout), 0o666)
		if _, err := Open(dir); err == nil {
			t.Errorf("layout %q: no error", layout)
		}
	}
}

func TestImages(t *testing.T) {
	s := newStore(t)
	a, b := Describe("", []byte("a")), Describe("", []byte("b"))
	for _, d := range []ocispec.Descriptor{b, a} {
		if err := s.SetImage(t.Context(), "one", d); err != nil {
			t.Fatal(err)
		}
	}
	s.SetImage(t.Context(), "zwei", b)
	s.RemoveImage(t.Context(), "none")
	got, err := s.Images()
	if err != nil || len(got) != 2 || got[0].Digest != a.Digest || refName(got[1]) != "zwei" {
		t.Errorf("got %v, %v", got, err)
	}
}

// Other tools read the store.
func TestLayout(t *testing.T) {
	s := newStore(t)
	l, err := s.ImportRootfs(t.Context(), bytes.NewReader(rootfs(t)), Gzip)
	if err != nil {
		t.Fatal(err)
	}
	platform := ocispec.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}
	config, cd := NewConfig(ConfigOptions{Platform: platform, DiffIDs: []digest.Digest{l.DiffID}, Labels: map[string]string{"a": "b"}})
	put(t, s, cd.MediaType, string(config))
	manifest, md := NewManifest(cd, []ocispec.Descriptor{l.Descriptor})
	put(t, s, md.MediaType, string(manifest))
	if err := s.SetImage(t.Context(), "base", md); err != nil {
		t.Fatal(err)
	}
	i, err := layout.ImageIndexFromPath(s.Dir())
	if err != nil {
		t.Fatal(err)
	}
	m, err := i.IndexManifest()
	if err != nil || len(m.Manifests) != 1 {
		t.Fatalf("%v, %v", m, err)
	}
	img, err := i.Image(m.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(img); err != nil {
		t.Error(err)
	}
	if c, err := ReadConfig(t.Context(), s, cd); err != nil || c.Architecture != "arm64" || c.Config.Labels["a"] != "b" || c.Created.Unix() != 0 {
		t.Errorf("config: %+v, %v", c, err)
	}
}

func TestDocuments(t *testing.T) {
	s := newStore(t)
	x, xd := NewIndex(nil)
	put(t, s, xd.MediaType, string(x))
	if got, err := ReadIndex(t.Context(), s, xd); err != nil || got.MediaType != ocispec.MediaTypeImageIndex || !strings.Contains(string(x), `"manifests":[]`) {
		t.Errorf("%s: %v, %v", x, got, err)
	}
	bad := put(t, s, "", "no JSON")
	if _, err := ReadManifest(t.Context(), s, bad); err == nil || !strings.Contains(err.Error(), bad.Digest.String()) {
		t.Errorf("got %v", err)
	}
	bad.Size = maxDocument + 1
	if _, err := ReadConfig(t.Context(), s, bad); err == nil {
		t.Error("large config: no error")
	}
}
