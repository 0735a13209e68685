package legacy

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/legacy/legacytest"
	"github.com/flotobuild/flotobuild/store"
)

const (
	firstID  = "2015-11-18T11-38-05.717Z-plant-2.1.6-16-g31cdcfc-dirty.north"
	secondID = "2016-01-02T03-04-05.678Z_plant_north"
)

// example makes an initial patch of one generation and an incremental one of
// the other.
func example() (first, second *legacytest.Patch) {
	base := legacytest.NewLayer(nil, "etc/os-release", "ID=plant\n")
	empty := legacytest.NewLayer(base, "", "")
	one := legacytest.NewLayer(empty, "app", "1")
	two := legacytest.NewLayer(empty, "app", "2")
	first = legacytest.New(firstID, "", map[string]*legacytest.Layer{"control": one, "base": base}, []*legacytest.Layer{base, empty, one})
	second = legacytest.New(secondID, firstID, map[string]*legacytest.Layer{"control": two}, []*legacytest.Layer{two}, base, empty)
	second.Description["creationDate"] = 1451703845678
	second.Entries = append(second.Entries,
		legacytest.Entry{Name: "documents/Manual.html", Content: "<h1>Manual</h1>"}, legacytest.Entry{Name: "images/repositories", Content: "{}"})
	second.Folders = true
	return first, second
}

func mustRead(t *testing.T, b []byte) *Reader {
	t.Helper()
	p, err := NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mustConvert(t *testing.T, dir string, c store.Compression, files ...*Reader) []Converted {
	t.Helper()
	out, err := Convert(t.Context(), files, Options{Dir: dir, Compression: c})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestConvertChain(t *testing.T) {
	a, b := example()
	for _, c := range []store.Compression{store.Zstd, store.Gzip, store.None} {
		out := mustConvert(t, t.TempDir(), c, mustRead(t, b.Bytes()), mustRead(t, a.Bytes()))
		if len(out) != 2 || out[0].ID != firstID || out[1].ID != secondID || out[0].Layers != 2 || out[1].Layers != 1 {
			t.Fatalf("%s: %+v", c, out)
		}
		if !slices.Contains(out[0].Dropped, "conf/.git/config") || len(out[0].Dropped) != 1 {
			t.Errorf("dropped: %q", out[0].Dropped)
		}
		first, second := mustOpen(t, out[0].File), mustOpen(t, out[1].File)
		for _, p := range []*patch.Reader{first, second} {
			r, err := patch.Verify(t.Context(), p, patch.VerifyOptions{Parents: []*patch.Header{&first.Header}})
			if err != nil || !r.Complete() {
				t.Errorf("%s: %s: %+v, %v", c, p.Description.ID, r, err)
			}
		}
		if got := entryText(t, second, "documents/Manual.html"); got != "<h1>Manual</h1>" {
			t.Errorf("document: %q", got)
		}
		if got := second.Description.CreationDate.String(); got != "2016-01-02T03:04:05.678Z" {
			t.Errorf("created %s", got)
		}
		if got := second.Description.Flotobuild.RemovedImages; len(got) != 1 || got[0].Name != "base" {
			t.Errorf("removed images: %+v", got)
		}
		if got := second.Description.Flotobuild.Version; got != "2.1.6" {
			t.Errorf("version %q", got)
		}
	}
}

// The config is what Docker's own migration makes of the chain, but for layers
// without files. Its digest is pinned: it is the image's id at every site.
func TestConfig(t *testing.T) {
	a, _ := example()
	out := mustConvert(t, t.TempDir(), store.Zstd, mustRead(t, a.Bytes()))
	p := mustOpen(t, out[0].File)
	i := p.Description.Flotobuild.Images[1]
	var c ocispec.Image
	if err := json.Unmarshal([]byte(entryText(t, p, patch.BlobEntry(i.ID))), &c); err != nil {
		t.Fatal(err)
	}
	if len(c.RootFS.DiffIDs) != 2 || len(c.History) != 3 || !c.History[1].EmptyLayer || c.History[2].CreatedBy != "/bin/sh -c #(nop) ADD app in /" {
		t.Errorf("%+v", c)
	}
	if c.Config.Cmd[0] != "/bin/sh" || c.Architecture != "amd64" {
		t.Errorf("%+v", c)
	}
	raw := entryText(t, p, patch.BlobEntry(i.ID))
	for _, k := range []string{`"id"`, `"parent"`, `"Size"`} {
		if strings.Contains(raw, k) {
			t.Errorf("the config has %s: %s", k, raw)
		}
	}
	if want := digest.Digest(goldenConfig); i.ID != want {
		t.Errorf("id is %s, and was %s", i.ID, want)
	}
}

const goldenConfig = "sha256:95a3c0b4f304418a5b80ecf8c5a63a9ce37e75ba30621332c68219943e80e85d"

// Streamed or stored, with folders or without, the result is the same.
func TestConvertIsDeterministic(t *testing.T) {
	a, _ := example()
	want := ""
	for n := range 3 {
		a.Folders, a.Stored = n > 0, n > 1
		out := mustConvert(t, t.TempDir(), store.Zstd, mustRead(t, a.Bytes()))
		b, err := os.ReadFile(out[0].File)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(b); want != "" && got != want {
			t.Error("another file")
		} else {
			want = got
		}
	}
}

func TestConvertRefuses(t *testing.T) {
	cases := map[string]struct {
		spoil func(a, b *legacytest.Patch)
		want  string
	}{
		"no parent":      {func(a, _ *legacytest.Patch) { a.Description["id"] = "other" }, "name that file too"},
		"missing layer":  {func(a, _ *legacytest.Patch) { a.Entries = a.Entries[3:] }, "in none of the files"},
		"missing tar":    {func(a, _ *legacytest.Patch) { a.Entries = slices.Delete(a.Entries, 2, 3) }, `no file "layer.tar"`},
		"no tar":         {func(a, _ *legacytest.Patch) { a.Entries[2].Content = strings.Repeat("x", 600) }, "no tar file"},
		"cut tar":        {func(a, _ *legacytest.Patch) { a.Entries[2].Content = a.Entries[2].Content[:515] }, "no tar file"},
		"other version":  {func(a, _ *legacytest.Patch) { a.Entries[0].Content = "2.0" }, `version "2.0"`},
		"other json":     {func(a, _ *legacytest.Patch) { a.Entries[1].Content = a.Entries[4].Content }, "it is that of"},
		"parent a path":  {func(a, _ *legacytest.Patch) { a.Entries[1].Content = pathParent(a) }, "64 hex digits"},
		"config no JSON": {func(a, _ *legacytest.Patch) { a.Entries[1].Content = "{" }, "its json is wrong"},
		"odd config": {func(a, _ *legacytest.Patch) {
			a.Entries[7].Content = strings.Replace(a.Entries[7].Content, `"config":{`, `"config":{"User":7,`, 1)
		}, "cannot become an image config"},
		"no root": {func(a, _ *legacytest.Patch) { a.Description["rootDefinitionFile"] = "x" }, "rootDefinitionFile"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			a, b := example()
			c.spoil(a, b)
			dir := t.TempDir()
			_, err := Convert(t.Context(), []*Reader{mustRead(t, a.Bytes()), mustRead(t, b.Bytes())}, Options{Dir: dir, Compression: store.Zstd})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if left, _ := os.ReadDir(dir); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

func pathParent(p *legacytest.Patch) string {
	return strings.Replace(p.Entries[1].Content, `"created"`, `"parent":"../../x","created"`, 1)
}

// An existing file stays, and those that were converted beside it vanish.
func TestConvertKeepsFiles(t *testing.T) {
	a, b := example()
	dir := t.TempDir()
	there := filepath.Join(dir, secondID+patch.Extension)
	if err := os.WriteFile(there, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Convert(t.Context(), []*Reader{mustRead(t, a.Bytes()), mustRead(t, b.Bytes())}, Options{Dir: dir, Compression: store.Zstd})
	if err == nil {
		t.Error("no error")
	}
	left, _ := os.ReadDir(dir)
	if got, _ := os.ReadFile(there); string(got) != "x" || len(left) != 1 {
		t.Errorf("%q, %v", got, left)
	}
}

func mustOpen(t *testing.T, path string) *patch.Reader {
	t.Helper()
	p, err := patch.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func entryText(t *testing.T, p *patch.Reader, name string) string {
	t.Helper()
	r, err := p.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
