package patch

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/klauspost/compress/flate"
	"github.com/opencontainers/go-digest"

	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

func TestInitialPatch(t *testing.T) {
	s := newSite(t)
	path := s.initial()
	r := mustOpen(t, path)
	report, err := Verify(t.Context(), r, VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if report.Layers != 3 || report.Images != 2 || !report.Complete() || report.Entries != 1+len(r.Description.Flotobuild.Contents) {
		t.Errorf("report: %+v", report)
	}
	for name, want := range s.conf {
		if got, err := r.read(name); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	i, err := r.Index()
	if err != nil || len(i.Manifests) != 2 {
		t.Errorf("index: %v, %v", i, err)
	}
	if _, err := r.Blob(t.Context(), digest.FromString("no")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing blob: %v", err)
	}
	for d, want := range s.blobs {
		b, err := r.Blob(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(io.NewSectionReader(b, 0, b.Size())); err != nil || !bytes.Equal(got, want) {
			t.Errorf("blob %s: %v", d, err)
		}
	}
}

// Other tools read the unzipped images of an initial patch.
func TestLayoutOfOthers(t *testing.T) {
	dir := t.TempDir()
	z, err := zip.OpenReader(newSite(t).initial())
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		if !strings.HasPrefix(f.Name, "images/") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, f.Name)
		os.MkdirAll(filepath.Dir(path), 0o777)
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	i, err := layout.ImageIndexFromPath(filepath.Join(dir, "images"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := i.IndexManifest()
	if err != nil || len(m.Manifests) != 2 {
		t.Fatalf("%v, %v", m, err)
	}
	for _, d := range m.Manifests {
		img, err := i.Image(d.Digest)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate.Image(img); err != nil {
			t.Error(err)
		}
	}
}

func TestIncrementalPatch(t *testing.T) {
	s := newSite(t)
	base := s.layer("etc/os-release", "ID=plant\n")
	gateway := s.image("gateway", base, s.layer("app", "gateway 1"))
	one := mustOpen(t, s.write(s.describe(1, []Image{gateway, s.image("control", base, s.layer("app", "control 1"))})))
	changed := s.layer("app", "control 2")
	two := mustOpen(t, s.write(s.describe(2, []Image{gateway, s.image("control", base, changed)}, &one.Header)))

	if got := two.Description.Flotobuild.Transport; len(got) != 1 || got[0].DiffID != changed.DiffID {
		t.Errorf("transport: %v", got)
	}
	if got := two.Description.ContainedImageIDs; len(got) != 2 || !slices.Contains(got, changed.DiffID) {
		t.Errorf("contained: %v", got)
	}
	report, err := Verify(t.Context(), two, VerifyOptions{Parents: []*Header{&one.Header}})
	if err != nil || !report.Complete() || !report.Parents[0].Checked {
		t.Errorf("with the parent: %+v, %v", report, err)
	}
	report, err = Verify(t.Context(), two, VerifyOptions{})
	if err != nil || report.Complete() || report.Parents[0].Checked {
		t.Errorf("without the parent: %+v, %v", report, err)
	}
	other := one.Header
	other.Digest = digest.FromString("other")
	if _, err = Verify(t.Context(), two, VerifyOptions{Parents: []*Header{&other}}); err == nil || !strings.Contains(err.Error(), "another one") {
		t.Errorf("with a foreign parent: %v", err)
	}
}

func TestMissingInParent(t *testing.T) {
	s := newSite(t)
	base := s.layer("etc/os-release", "ID=plant\n")
	one := mustOpen(t, s.write(s.describe(1, []Image{s.image("control", base)})))
	extra := s.layer("lost", "lost")
	d := s.describe(2, []Image{s.image("control", base, extra)}, &one.Header)
	d.Flotobuild.Transport = nil
	d.Flotobuild.Contents = slices.DeleteFunc(d.Flotobuild.Contents, func(c Content) bool { return c.Path == BlobEntry(extra.Digest) })
	r := mustOpen(t, s.write(d))
	report, err := Verify(t.Context(), r, VerifyOptions{Parents: []*Header{&one.Header}})
	if err == nil || report.Parents[0].Missing != 1 || !strings.Contains(err.Error(), extra.Digest.String()) {
		t.Errorf("%+v, %v", report, err)
	}
}

// Every bit of a patch matters. The step is prime to 8, so that every bit of a
// byte has its turn; 1 tries them all in a minute.
func TestFlippedBit(t *testing.T) {
	path := newSite(t).initial()
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	step := 11
	if testing.Short() {
		step = 101
	}
	for bit := 0; bit < 8*len(good); bit += step {
		bad := bytes.Clone(good)
		bad[bit/8] ^= 1 << (bit % 8)
		r, err := NewReader(bytes.NewReader(bad), int64(len(bad)))
		if err == nil {
			_, err = Verify(t.Context(), r, VerifyOptions{})
		}
		if err == nil {
			t.Errorf("bit %d of byte %d: not noticed", bit%8, bit/8)
		}
	}
}

func TestTruncatedAndExtended(t *testing.T) {
	good, err := os.ReadFile(newSite(t).initial())
	if err != nil {
		t.Fatal(err)
	}
	files := [][]byte{append(bytes.Clone(good), 0), append([]byte{0}, good...)}
	for n := 0; n < len(good); n += 5 {
		files = append(files, good[:n])
	}
	for _, b := range files {
		r, err := NewReader(bytes.NewReader(b), int64(len(b)))
		if err == nil {
			_, err = Verify(t.Context(), r, VerifyOptions{})
		}
		if err == nil {
			t.Errorf("%d of %d bytes: not noticed", len(b), len(good))
		}
	}
}

// The same description and contents give the same bytes, on every machine.
func TestGoldenBytes(t *testing.T) {
	b, err := os.ReadFile(newSite(t).initial())
	if err != nil {
		t.Fatal(err)
	}
	const want = "398afab7acb0ed0069039b7b616c8de76ad47f48784fa3f37630bb851e0c12fd"
	if got := digest.FromBytes(b).Encoded(); got != want {
		t.Errorf("sha256 of the patch is %s, want %s: a change of the format must be meant", got, want)
	}
}

// A reader without the central directory gets every entry.
func TestStreaming(t *testing.T) {
	s := newSite(t)
	path := s.initial()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var names []string
	for {
		h := make([]byte, 30)
		if _, err := io.ReadFull(f, h); err != nil {
			t.Fatal(err)
		}
		if le.Uint32(h) == sigCentral {
			break
		}
		name := make([]byte, le.Uint16(h[26:]))
		io.ReadFull(f, name)
		io.CopyN(io.Discard, f, int64(le.Uint16(h[28:])))
		if le.Uint16(h[6:])&8 != 0 {
			t.Errorf("%s has a data descriptor", name)
		}
		data := make([]byte, le.Uint32(h[18:]))
		if _, err := io.ReadFull(f, data); err != nil {
			t.Fatal(err)
		}
		if le.Uint16(h[8:]) == methodDeflate {
			if data, err = io.ReadAll(flate.NewReader(bytes.NewReader(data))); err != nil {
				t.Fatal(err)
			}
		}
		if want, ok := s.conf[string(name)]; ok && want != string(data) {
			t.Errorf("%s: %q", name, data)
		}
		names = append(names, string(name))
	}
	if r := mustOpen(t, path); len(names) != len(r.files) || names[0] != VersionEntry || names[1] != DescriptionEntry {
		t.Errorf("entries: %q", names)
	}
}

func TestWriterRefuses(t *testing.T) {
	s := newSite(t)
	d := s.describe(1, []Image{s.image("control", s.layer("a", "a"))})
	first := d.Flotobuild.Contents[1].Path
	cases := map[string]func(w *Writer) error{
		"short":     func(w *Writer) error { return w.Add(t.Context(), first, strings.NewReader("1")) },
		"long":      func(w *Writer) error { return w.Add(t.Context(), first, strings.NewReader("1.0.0")) },
		"content":   func(w *Writer) error { return w.Add(t.Context(), first, strings.NewReader("1.1")) },
		"order":     func(w *Writer) error { return w.Add(t.Context(), "conf/plant.hcl", strings.NewReader("")) },
		"missing":   func(w *Writer) error { return w.Publish() },
		"cancelled": func(w *Writer) error { return w.Add(cancelled(t), first, strings.NewReader("1.0")) },
	}
	for name, f := range cases {
		dir := t.TempDir()
		w, err := Create(dir, d)
		if err != nil {
			t.Fatal(err)
		}
		if err := f(w); err == nil {
			t.Errorf("%s: no error", name)
		}
		if err := w.Publish(); err == nil {
			t.Errorf("%s: published", name)
		}
		nothingIn(t, dir)
	}
}

// What a killed writer left is gone when the next one begins.
func TestCreateSweeps(t *testing.T) {
	s := newSite(t)
	stale := filepath.Join(s.dir, ".flotobuild-tmp-stale")
	if err := os.WriteFile(stale, []byte("half"), 0o444); err != nil {
		t.Fatal(err)
	}
	s.initial()
	if _, err := os.Stat(stale); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestNoSpace(t *testing.T) {
	s := newSite(t)
	d := s.describe(1, nil)
	d.SetContents([]Content{NewContent("conf/plant.hcl", nil), {Path: "conf/huge", Size: 1 << 60, SHA256: digest.FromString("").Encoded()}})
	if _, err := Create(s.dir, d); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v", err)
	}
	nothingIn(t, s.dir)
}

func cancelled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func TestPublishDoesNotReplace(t *testing.T) {
	s := newSite(t)
	d := s.describe(1, []Image{s.image("control", s.layer("a", "a"))})
	path := s.write(d)
	os.WriteFile(path, []byte("mine"), 0o666)
	w, err := Create(s.dir, d)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.AddAll(t.Context(), s.open); err != nil {
		t.Fatal(err)
	}
	if err := w.Publish(); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v", err)
	}
	if b, _ := os.ReadFile(path); string(b) != "mine" {
		t.Errorf("file is %q", b)
	}
	if entries, _ := os.ReadDir(s.dir); len(entries) != 1 {
		t.Errorf("left over: %v", entries)
	}
}

func TestList(t *testing.T) {
	s := newSite(t)
	images := []Image{s.image("control", s.layer("a", "a"))}
	s.write(s.describe(1, images))
	newest := s.write(s.describe(3, images))
	s.write(s.describe(2, images))
	os.WriteFile(filepath.Join(s.dir, "a"+Extension), []byte("PK"), 0o666)
	os.WriteFile(filepath.Join(s.dir, "notes.txt"), nil, 0o666)
	pipe := filepath.Join(s.dir, "pipe"+Extension)
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(pipe); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("pipe: %v", err)
	}
	files, err := List(s.dir)
	if err != nil || len(files) != 5 {
		t.Fatalf("%v, %v", files, err)
	}
	if files[0].Path != newest || files[3].Err == nil {
		t.Errorf("order: %v", files)
	}
	if l := Latest(files, "north"); l == nil || l.Path != newest {
		t.Errorf("latest: %v", l)
	}
	if l := Latest(files, "south"); l != nil {
		t.Errorf("latest of nowhere: %v", l)
	}
	if none, err := List(filepath.Join(s.dir, "none")); none != nil || err != nil {
		t.Errorf("no folder: %v, %v", none, err)
	}
}
