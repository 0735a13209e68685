package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/delta"
	"github.com/flotobuild/flotobuild/store"
)

// layerOf makes a tar of files of a seed each.
func layerOf(t testing.TB, seeds ...uint64) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, seed := range seeds {
		content := text(seed)
		if err := w.WriteHeader(&tar.Header{Name: fmt.Sprintf("file-%d", seed/10), Mode: 0o644, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		w.Write(content)
	}
	w.Close()
	return b.Bytes()
}

// text is content of a seed; seeds of the same tens are alike.
func text(seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed/10, 1))
	b := make([]byte, 20_000)
	for i := range b {
		b[i] = byte(r.Uint32() % 64)
	}
	copy(b[5000:], fmt.Sprintf("release %d", seed%10))
	return b
}

func packGzip(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

// layoutOf writes an image in a new layout.
func layoutOf(t testing.TB, compressed bool, layers ...[]byte) string {
	t.Helper()
	s, err := store.Create(filepath.Join(t.TempDir(), "layout"))
	if err != nil {
		t.Fatal(err)
	}
	addImage(t, s, "latest", compressed, layers...)
	return s.Dir()
}

func addImage(t testing.TB, s *store.Store, name string, compressed bool, layers ...[]byte) ocispec.Descriptor {
	t.Helper()
	put := func(mediaType string, b []byte) ocispec.Descriptor {
		d := store.Describe(mediaType, b)
		if err := s.Put(t.Context(), d, bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
		return d
	}
	var ids []digest.Digest
	var all []ocispec.Descriptor
	for _, l := range layers {
		ids = append(ids, digest.FromBytes(l))
		if compressed {
			all = append(all, put(ocispec.MediaTypeImageLayerGzip, packGzip(t, l)))
		} else {
			all = append(all, put(ocispec.MediaTypeImageLayer, l))
		}
	}
	config, _ := store.NewConfig(store.ConfigOptions{DiffIDs: ids, Platform: ocispec.Platform{OS: "linux", Architecture: "amd64"}})
	manifest, desc := store.NewManifest(put(ocispec.MediaTypeImageConfig, config), all)
	put(desc.MediaType, manifest)
	if err := s.SetImage(t.Context(), name, desc); err != nil {
		t.Fatal(err)
	}
	return desc
}

func openPath(t testing.TB, path string) *Image {
	t.Helper()
	i, err := Open(context.Background(), path, Choice{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close() })
	return i
}

func deltaFile(t testing.TB, old, target string, o CreateOptions) string {
	t.Helper()
	var b bytes.Buffer
	if _, err := Create(context.Background(), &b, openPath(t, old), openPath(t, target), o); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "delta")
	if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func readFile(t testing.TB, name string) *File {
	t.Helper()
	f, err := Read(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestRoundTrip(t *testing.T) {
	base, v1, v2, tool := layerOf(t, 10, 20), layerOf(t, 30, 40), layerOf(t, 31, 40), layerOf(t, 51)
	empty := layerOf(t)
	for name, c := range map[string]struct {
		old, target [][]byte
		ways        string
	}{
		"changed":    {[][]byte{base, v1}, [][]byte{base, v2}, "shared delta"},
		"same":       {[][]byte{base, v1}, [][]byte{base, v1}, "shared shared"},
		"other":      {[][]byte{base}, [][]byte{tool}, "whole"},
		"fewer":      {[][]byte{base, v1, tool}, [][]byte{v2}, "delta"},
		"twice":      {[][]byte{v1, v1}, [][]byte{v2, base, v2}, "delta whole delta"},
		"none":       {[][]byte{base}, nil, ""},
		"from none":  {nil, [][]byte{base}, "whole"},
		"empty tars": {[][]byte{empty}, [][]byte{empty, nil, {7}}, "shared whole whole"},
	} {
		for _, compressed := range []bool{false, true} {
			old, target := layoutOf(t, compressed, c.old...), layoutOf(t, compressed, c.target...)
			f := readFile(t, deltaFile(t, old, target, CreateOptions{}))
			var ways []string
			for _, l := range f.Layers {
				ways = append(ways, string(l.Way))
			}
			if got := strings.Join(ways, " "); got != c.ways && name != "empty tars" {
				t.Errorf("%s: %s instead of %s", name, got, c.ways)
			}
			for _, form := range []Form{Layout, LayoutArchive, DockerArchive} {
				sameImage(t, fmt.Sprintf("%s as %s", name, form), f, openPath(t, old), openPath(t, target), form)
			}
		}
	}
}

// sameImage applies a delta and compares the result with what it was made for.
func sameImage(t *testing.T, name string, f *File, old, want *Image, form Form) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "new")
	r, err := f.Apply(t.Context(), old, path, ApplyOptions{Form: form, Name: "app:1", Exact: form != DockerArchive})
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	got := openPath(t, path)
	if got.Form != form || got.ID.Digest != want.ID.Digest || r.ID != want.ID.Digest {
		t.Errorf("%s: %s with id %s instead of %s", name, got.Form, got.ID.Digest, want.ID.Digest)
	}
	if form != DockerArchive && !bytes.Equal(got.Manifest, want.Manifest) {
		t.Errorf("%s: manifest\n%s\ninstead of\n%s", name, got.Manifest, want.Manifest)
	}
	s := &shelf{dir: t.TempDir()}
	defer s.close()
	if _, err := s.layers(t.Context(), got); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

func TestCreate_deterministic(t *testing.T) {
	old, target := layoutOf(t, true, layerOf(t, 10, 20)), layoutOf(t, true, layerOf(t, 11, 21), layerOf(t, 30))
	first, err := os.ReadFile(deltaFile(t, old, target, CreateOptions{Delta: delta.Options{Parallel: 1}}))
	if err != nil {
		t.Fatal(err)
	}
	second, _ := os.ReadFile(deltaFile(t, old, target, CreateOptions{Delta: delta.Options{Parallel: 4}}))
	if !bytes.Equal(first, second) {
		t.Error("two deltas of the same images differ")
	}
}

func TestPolicies(t *testing.T) {
	base, v1, v2 := layerOf(t, 10), layerOf(t, 30, 40), layerOf(t, 31, 40)
	old := layoutOf(t, true, base, v1)
	s, err := store.Create(filepath.Join(t.TempDir(), "odd"))
	if err != nil {
		t.Fatal(err)
	}
	odd := oddImage(t, s, base, v2)
	for policy, want := range map[Policy]int{Require: 0, Prefer: 2, Ignore: 2} {
		f := readFile(t, deltaFile(t, old, odd, CreateOptions{Policy: policy}))
		path := filepath.Join(t.TempDir(), "new")
		r, err := f.Apply(t.Context(), openPath(t, old), path, ApplyOptions{})
		if err != nil || r.Uncompressed != want || r.ID != openPath(t, odd).ID.Digest {
			t.Errorf("%s: %+v, %v", policy, r, err)
		}
		_, err = f.Apply(t.Context(), openPath(t, old), path+"2", ApplyOptions{Exact: true})
		if errors.Is(err, ErrNotExact) != (want > 0) {
			t.Errorf("%s, exact: %v", policy, err)
		}
	}
}

// oddImage has layers that no known program compressed.
func oddImage(t *testing.T, s *store.Store, layers ...[]byte) string {
	t.Helper()
	var all []ocispec.Descriptor
	var ids []digest.Digest
	for _, l := range layers {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		for _, part := range [][]byte{l[:5000], l[5000:9000], l[9000:]} {
			w.Write(part)
			w.Flush()
		}
		w.Close()
		d := store.Describe(ocispec.MediaTypeImageLayerGzip, b.Bytes())
		if err := s.Put(t.Context(), d, &b); err != nil {
			t.Fatal(err)
		}
		all, ids = append(all, d), append(ids, digest.FromBytes(l))
	}
	config, desc := store.NewConfig(store.ConfigOptions{DiffIDs: ids})
	manifest, top := store.NewManifest(desc, all)
	for d, b := range map[digest.Digest][]byte{desc.Digest: config, top.Digest: manifest} {
		if err := s.Put(t.Context(), ocispec.Descriptor{Digest: d, Size: int64(len(b))}, bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.SetImage(t.Context(), "odd", top); err != nil {
		t.Fatal(err)
	}
	return s.Dir()
}

func TestApply_refuses(t *testing.T) {
	base, v1, v2 := layerOf(t, 10), layerOf(t, 30, 40), layerOf(t, 31, 40)
	old, target := layoutOf(t, false, base, v1), layoutOf(t, false, base, v2)
	name := deltaFile(t, old, target, CreateOptions{})
	f := readFile(t, name)
	path := filepath.Join(t.TempDir(), "new")
	if _, err := f.Apply(t.Context(), openPath(t, layoutOf(t, false, base)), path, ApplyOptions{}); !errors.Is(err, delta.ErrWrongBase) {
		t.Errorf("another old image: %v", err)
	}
	damaged := layoutOf(t, false, base, v1)
	blob := filepath.Join(damaged, "blobs", "sha256", digest.FromBytes(v1).Encoded())
	os.Chmod(blob, 0o600)
	os.WriteFile(blob, append(bytes.Clone(v1[:len(v1)-1]), 1), 0o600)
	for _, form := range []Form{Layout, LayoutArchive, DockerArchive} {
		if _, err := f.Apply(t.Context(), openPath(t, damaged), path, ApplyOptions{Form: form}); err == nil {
			t.Errorf("%s out of a damaged base", form)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Apply(ctx, openPath(t, old), path, ApplyOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) > 0 {
		t.Errorf("left behind: %v", entries)
	}
	os.WriteFile(path, nil, 0o644)
	for _, form := range []Form{Layout, LayoutArchive, DockerArchive} {
		if _, err := f.Apply(t.Context(), openPath(t, old), path, ApplyOptions{Form: form}); err == nil {
			t.Errorf("%s in place of a file", form)
		} else if form != Layout && !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v", form, err)
		}
	}
}

// TestDamage flips bits all over a delta: it is refused, or makes the right
// image.
func TestDamage(t *testing.T) {
	old := layoutOf(t, true, layerOf(t, 10), layerOf(t, 30, 40))
	target := layoutOf(t, true, layerOf(t, 10), layerOf(t, 31, 40), layerOf(t, 51))
	b, err := os.ReadFile(deltaFile(t, old, target, CreateOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	want := openPath(t, target)
	step := 499
	if testing.Short() {
		step = 4999
	}
	for at := 0; at < len(b); at += step {
		damaged := slices.Clone(b)
		damaged[at] ^= 1 << (at % 8)
		name := filepath.Join(t.TempDir(), "delta")
		os.WriteFile(name, damaged, 0o644)
		applyDamaged(t, name, openPath(t, old), want)
		os.WriteFile(name, b[:at], 0o644)
		applyDamaged(t, name, openPath(t, old), want)
	}
}

func applyDamaged(t *testing.T, name string, old, want *Image) {
	t.Helper()
	f, err := Read(t.Context(), name)
	if err != nil {
		if !errors.Is(err, ErrMalformed) {
			t.Errorf("%v", err)
		}
		return
	}
	defer f.Close()
	path := filepath.Join(t.TempDir(), "new")
	r, err := f.Apply(t.Context(), old, path, ApplyOptions{})
	if err == nil && r.ID != want.ID.Digest {
		t.Errorf("a damaged delta makes %s", r.ID)
	}
	if _, statErr := os.Lstat(path); err != nil && statErr == nil {
		t.Errorf("an image stands there after %v", err)
	}
}

func TestBareTars(t *testing.T) {
	old, target := filepath.Join(t.TempDir(), "old"), filepath.Join(t.TempDir(), "target")
	os.WriteFile(old, layerOf(t, 10, 20), 0o644)
	os.WriteFile(target, layerOf(t, 11, 20), 0o644)
	var b bytes.Buffer
	if _, err := CreateTar(t.Context(), &b, openPath(t, old), openPath(t, target), CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	back := filepath.Join(t.TempDir(), "back")
	if _, err := ApplyTar(t.Context(), bytes.NewReader(b.Bytes()), openPath(t, target), back); !errors.Is(err, delta.ErrWrongBase) {
		t.Errorf("another old tar: %v", err)
	}
	if _, err := ApplyTar(t.Context(), bytes.NewReader(b.Bytes()), openPath(t, old), back); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(back); !bytes.Equal(got, layerOf(t, 11, 20)) {
		t.Error("another tar comes back")
	}
	if _, err := Create(t.Context(), io.Discard, openPath(t, old), openPath(t, target), CreateOptions{}); !errors.Is(err, ErrNoImage) {
		t.Errorf("a delta of an image for a tar: %v", err)
	}
}
