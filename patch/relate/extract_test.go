package relate

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/flotobuild/flotobuild/patch"
)

// chainOf makes an initial patch and one on top of it.
func chainOf(s *site) (one, two *patch.Reader) {
	one = s.write(release{images: map[string][]string{"a": {"base", "zone"}}})
	two = s.write(release{images: map[string][]string{"a": {"base", "zone", "two", "two"}}}, one)
	return one, two
}

func handWith(t *testing.T, s *site, patches ...*patch.Reader) *Hand {
	t.Helper()
	h := NewHand(patch.Opener{})
	t.Cleanup(func() { h.Close() })
	for _, p := range patches {
		if _, err := h.Patch(s.path(p)); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

func TestUnpack(t *testing.T) {
	s := newSite(t)
	p := s.write(release{
		images: map[string][]string{"a": {"base"}},
		files: map[string]string{
			"conf/bin/run": "#!/bin/sh\n", "conf/empty": "", "conf/bin/link": "../empty", "conf/dangling": "none", "conf/ä b": "x",
			"documents/d.txt": "document",
		},
		modes: map[string]patch.Mode{"conf/bin/run": patch.ModeExecutable, "conf/bin/link": patch.ModeSymlink, "conf/dangling": patch.ModeSymlink},
	})
	dir := filepath.Join(t.TempDir(), "new", "conf")
	n, err := Unpack(t.Context(), p, patch.ConfDir, dir)
	if err != nil || n != 6 {
		t.Fatalf("%d files, %v", n, err)
	}
	for name, want := range map[string]os.FileMode{"bin/run": 0o755, "empty": 0o644, "ä b": 0o644, "root.hcl": 0o644} {
		info, err := os.Lstat(filepath.Join(dir, name))
		if err != nil || info.Mode() != want || !info.ModTime().Equal(p.Description.CreationDate.Time) {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	for name, want := range map[string]string{"bin/link": "../empty", "dangling": "none"} {
		if got, err := os.Readlink(filepath.Join(dir, name)); got != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := Unpack(t.Context(), p, patch.ConfDir, dir); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("a second time: %v", err)
	}
	if n, err := Unpack(t.Context(), p, patch.EnvelopesDir, dir+"2"); n != 0 || err != nil {
		t.Errorf("nothing: %d, %v", n, err)
	}
	onlyIn(t, filepath.Dir(dir), "conf")
}

// A damaged entry leaves nothing.
func TestUnpackDamaged(t *testing.T) {
	s := newSite(t)
	p := s.write(release{images: map[string][]string{"a": {"base"}}, files: map[string]string{"conf/z": "unique"}})
	b, err := os.ReadFile(s.path(p))
	if err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(t.TempDir(), "p")
	b[bytes.Index(b, []byte("unique"))] ^= 1
	if err := os.WriteFile(damaged, b, 0o600); err != nil {
		t.Fatal(err)
	}
	q, err := patch.Open(damaged)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	parent := t.TempDir()
	if _, err := Unpack(t.Context(), q, patch.ConfDir, filepath.Join(parent, "conf")); err == nil {
		t.Error("damage was not noticed")
	}
	onlyIn(t, parent)
}

func onlyIn(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%s has %q", filepath.Base(dir), got)
	}
}

func TestLayout(t *testing.T) {
	s := newSite(t)
	one, two := chainOf(s)
	i, err := FindImage(two.Description, "a")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "layout")
	if err := handWith(t, s, two, one).Layout(t.Context(), two.Description, i, dir); err != nil {
		t.Fatal(err)
	}
	l, err := layout.FromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	index, err := l.ImageIndex()
	if err != nil {
		t.Fatal(err)
	}
	m, err := index.IndexManifest()
	if err != nil || len(m.Manifests) != 1 || m.Manifests[0].Annotations["org.opencontainers.image.ref.name"] != "a" {
		t.Fatalf("%+v, %v", m, err)
	}
	img, err := index.Image(m.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(img, validate.Fast); err != nil {
		t.Error(err)
	}
	onlyIn(t, dir, "blobs", "index.json", "oci-layout")
}

func TestMissingLayers(t *testing.T) {
	s := newSite(t)
	one, two := chainOf(s)
	i, _ := FindImage(two.Description, "image.a")
	parent := t.TempDir()
	err := handWith(t, s, two).Layout(t.Context(), two.Description, i, filepath.Join(parent, "layout"))
	var missing *MissingError
	if !errors.As(err, &missing) || len(missing.Blobs) != 2 || len(missing.Sources) != 1 || missing.Sources[0] != one.Description.ID {
		t.Fatalf("%v", err)
	}
	if !strings.Contains(err.Error(), `of image "a" (COPY base)`) || !strings.Contains(err.Error(), one.Description.ID) {
		t.Errorf("%v", err)
	}
	onlyIn(t, parent)
	if _, err := FindImage(two.Description, "b"); err == nil || !strings.Contains(err.Error(), "it requires a") {
		t.Errorf("%v", err)
	}
}

// Layers of gzip and of zstd become plain tars.
func TestArchive(t *testing.T) {
	s := newSite(t)
	one, two := chainOf(s)
	i, _ := FindImage(two.Description, "a")
	m, err := Platform(i, "")
	if err != nil {
		t.Fatal(err)
	}
	h := handWith(t, s, two)
	if err := h.Ancestors(s.dir, two); err != nil || h.Find(one.Ref()) == nil {
		t.Fatalf("ancestors: %v", err)
	}
	var files [2][]byte
	for n := range files {
		file := filepath.Join(t.TempDir(), "image.tar")
		if err := h.Archive(t.Context(), two.Description, m, "a:1.2.0", file); err != nil {
			t.Fatal(err)
		}
		checkArchive(t, file, m)
		if files[n], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
		if err := h.Archive(t.Context(), two.Description, m, "a:1.2.0", file); !errors.Is(err, os.ErrExist) {
			t.Errorf("written over: %v", err)
		}
	}
	if string(files[0]) != string(files[1]) {
		t.Error("twice, other bytes")
	}
	if _, err := Platform(i, "linux/arm64"); err == nil || !strings.Contains(err.Error(), "only for linux/amd64") {
		t.Errorf("%v", err)
	}
}

func checkArchive(t *testing.T, file string, m *patch.Manifest) {
	t.Helper()
	img, err := tarball.ImageFromPath(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(img); err != nil {
		t.Error(err)
	}
	config, err := img.ConfigName()
	if err != nil || config.String() != m.Config.Digest.String() {
		t.Errorf("config %v, %v", config, err)
	}
	layers, err := img.Layers()
	if err != nil || len(layers) != len(m.Layers) {
		t.Fatalf("%d layers, %v", len(layers), err)
	}
	for n, l := range layers {
		var id v1.Hash
		if id, err = l.DiffID(); err != nil || id.String() != m.Layers[n].DiffID.String() {
			t.Errorf("layer %d: %v, %v", n, id, err)
		}
	}
}

// A rebased patch takes its layers from wherever they are.
func TestRebase(t *testing.T) {
	s := newSite(t)
	one, two := chainOf(s)
	three := s.write(release{images: map[string][]string{"b": {"base", "zthree"}, "c": {"c"}}}, two)
	for name, c := range map[string]struct {
		parents []*patch.Reader
		with    []*patch.Reader
		ok      bool
	}{
		"for the grandparent":  {[]*patch.Reader{one}, nil, true},
		"initial":              {nil, []*patch.Reader{one}, true},
		"without its layers":   {nil, nil, false},
		"for two parents":      {[]*patch.Reader{one, two}, nil, true},
		"layers in the folder": {nil, nil, true},
	} {
		h := handWith(t, s, append(append([]*patch.Reader{three}, c.parents...), c.with...)...)
		if name == "layers in the folder" {
			if err := h.Add(s.dir); err != nil {
				t.Fatal(err)
			}
		}
		d, err := patch.Rebase(&three.Header, headersOf(c.parents))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		dir := t.TempDir()
		path, err := written(h.Write(t.Context(), dir, d, three, WriteOptions{}))
		if !c.ok {
			var missing *MissingError
			if !errors.As(err, &missing) || len(missing.Blobs) != 1 {
				t.Errorf("%s: %v", name, err)
			}
			onlyIn(t, dir)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		report, err := patch.Verify(t.Context(), s.open(path), patch.VerifyOptions{Parents: headersOf(append(c.parents, three))})
		if err != nil || !report.Complete() {
			t.Errorf("%s: %v", name, err)
		}
	}
}
