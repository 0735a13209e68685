package image

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/delta"
	"github.com/flotobuild/flotobuild/store"
)

func TestOpen_choice(t *testing.T) {
	s, err := store.Create(filepath.Join(t.TempDir(), "layout"))
	if err != nil {
		t.Fatal(err)
	}
	one := addImage(t, s, "plant.example/app:1.0", false, layerOf(t, 10))
	two := addImage(t, s, "plant.example/app:2.0", false, layerOf(t, 20))
	one.Platform = &ocispec.Platform{OS: "linux", Architecture: "amd64"}
	two.Platform = &ocispec.Platform{OS: "linux", Architecture: "arm64"}
	attestation := one
	attestation.Platform = &ocispec.Platform{OS: "unknown", Architecture: "unknown"}
	index, desc := store.NewIndex([]ocispec.Descriptor{one, two, attestation})
	if err := s.Put(t.Context(), desc, bytes.NewReader(index)); err != nil {
		t.Fatal(err)
	}
	if err := s.SetImage(t.Context(), "both", desc); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		choice Choice
		want   digest.Digest
		err    string
	}{
		{Choice{Name: "1.0"}, one.Digest, ""},
		{Choice{Name: "plant.example/app:2.0"}, two.Digest, ""},
		{Choice{Digest: two.Digest}, two.Digest, ""},
		{Choice{Name: "both", Platform: "linux/arm64"}, two.Digest, ""},
		{Choice{Name: "both"}, "", "several of that platform, choose one: linux/arm64, linux/amd64"},
		{Choice{Name: "both", Platform: "linux/riscv64"}, "", "no such platform"},
		{Choice{Name: "3.0"}, "", "no such image"},
		{Choice{}, "", "several of that image, choose one: "},
	} {
		i, err := Open(t.Context(), s.Dir(), c.choice)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%+v: %v", c.choice, err)
			}
			continue
		}
		if err != nil || i.described.Digest != c.want {
			t.Errorf("%+v: %v", c.choice, err)
		}
	}
}

// A tarEntry is a file of an archive that a test makes.
type tarEntry struct{ name, content, link string }

func archiveOf(t testing.TB, entries ...tarEntry) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: 0o644, Size: int64(len(e.content))}
		if e.link != "" {
			h.Typeflag, h.Linkname = tar.TypeSymlink, e.link
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(e.content))
	}
	w.Close()
	name := filepath.Join(t.TempDir(), "archive.tar")
	if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestOpen_docker(t *testing.T) {
	layer := string(layerOf(t, 10))
	config := `{"rootfs":{"type":"layers","diff_ids":["` + digest.FromString(layer).String() + `"]}}`
	list := `[{"Config":"c.json","RepoTags":["app:1"],"Layers":["a/layer.tar"]}]`
	for name, c := range map[string]struct {
		entries []tarEntry
		choice  Choice
		err     string
	}{
		"plain": {[]tarEntry{{"a/layer.tar", layer, ""}, {"c.json", config, ""}, {"manifest.json", list, ""}}, Choice{Name: "1"}, ""},
		"packed": {
			[]tarEntry{{"a/layer.tar", string(packGzip(t, []byte(layer))), ""}, {"c.json", config, ""}, {"manifest.json", list, ""}}, Choice{}, "",
		},
		"link": {[]tarEntry{{"b/layer.tar", layer, ""}, {"a/layer.tar", "", "../b/layer.tar"}, {"c.json", config, ""}, {"manifest.json", list, ""}}, Choice{}, ""},
		"links in a circle": {
			[]tarEntry{{"b", "", "a/layer.tar"}, {"a/layer.tar", "", "../b"}, {"c.json", config, ""}, {"manifest.json", list, ""}}, Choice{}, "no file",
		},
		"another name":   {[]tarEntry{{"a/layer.tar", layer, ""}, {"c.json", config, ""}, {"manifest.json", list, ""}}, Choice{Name: "2"}, "no such image"},
		"a platform":     {[]tarEntry{{"manifest.json", list, ""}}, Choice{Platform: "linux/amd64"}, "only names choose"},
		"no layer":       {[]tarEntry{{"c.json", config, ""}, {"manifest.json", list, ""}}, Choice{}, `no file "a/layer.tar"`},
		"no config":      {[]tarEntry{{"manifest.json", list, ""}}, Choice{}, `no file "c.json"`},
		"a short list":   {[]tarEntry{{"c.json", config, ""}, {"manifest.json", `[{"Config":"c.json"}]`, ""}}, Choice{}, "1 layers"},
		"several images": {[]tarEntry{{"manifest.json", `[{"Config":"a","RepoTags":["x:1"]},{"Config":"b","RepoTags":["x:2"]}]`, ""}}, Choice{}, "choose one: x:1, x:2"},
		"no image":       {[]tarEntry{{"c.json", `{}`, ""}, {"manifest.json", `[{"Config":"c.json"}]`, ""}}, Choice{}, "names no layers"},
	} {
		i, err := Open(t.Context(), archiveOf(t, c.entries...), c.choice)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || i.Form != DockerArchive {
			t.Errorf("%s: %v", name, err)
			continue
		}
		s := &shelf{dir: t.TempDir()}
		if all, err := s.layers(t.Context(), i); err != nil || len(all) != 1 || all[0].Size != int64(len(layer)) {
			t.Errorf("%s: %+v, %v", name, all, err)
		}
		s.close()
		i.Close()
	}
}

// TestOpen_bare has files that look like archives of images, and are layers or
// nothing in particular.
func TestOpen_bare(t *testing.T) {
	for name, path := range map[string]string{
		"a layer with that name": archiveOf(t, tarEntry{"manifest.json", `{"name":"a web page"}`, ""}),
		"a name twice":           archiveOf(t, tarEntry{"a", "1", ""}, tarEntry{"a", "2", ""}),
		"nothing":                archiveOf(t),
	} {
		i, err := Open(t.Context(), path, Choice{})
		if err != nil || i.Form != Tar || len(i.Layers) != 1 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		i.Close()
		if _, err := Open(t.Context(), path, Choice{Name: "x"}); err == nil {
			t.Errorf("%s: an image of it was chosen", name)
		}
	}
}

func TestRead_refuses(t *testing.T) {
	id := digest.FromString("x")
	config := `{"rootfs":{"type":"layers","diff_ids":["` + id.String() + `"]}}`
	image := store.Describe(ocispec.MediaTypeImageConfig, []byte(config))
	good := Description{
		Version: version, Image: image, Bases: []delta.Descriptor{{Digest: id, Size: 5}},
		Layers: []LayerDescription{{DiffID: id, Size: 5, Way: Shared}},
	}
	for name, change := range map[string]func(*Description){
		"good":              func(*Description) {},
		"version":           func(d *Description) { d.Version = 2 },
		"no way":            func(d *Description) { d.Layers[0].Way = "" },
		"no base":           func(d *Description) { d.Bases = nil },
		"another size":      func(d *Description) { d.Layers[0].Size = 6 },
		"a negative size":   func(d *Description) { d.Layers[0].Size, d.Bases[0].Size = -1, -1 },
		"a huge size":       func(d *Description) { d.Layers[0].Size, d.Bases[0].Size = 1<<60, 1<<60 },
		"no layer":          func(d *Description) { d.Layers = nil },
		"another layer":     func(d *Description) { d.Layers[0].DiffID, d.Bases[0].Digest = image.Digest, image.Digest },
		"a path for digest": func(d *Description) { d.Layers[0].DiffID = "sha256:../../x" },
		"content not there": func(d *Description) {
			d.Layers[0].Way, d.Layers[0].Content = Whole, &ocispec.Descriptor{Digest: id, Size: 1}
		},
		"another algorithm":  func(d *Description) { d.Image.Digest = digest.Digest("sha512:" + strings.Repeat("0", 128)) },
		"manifest not there": func(d *Description) { d.Manifest = &ocispec.Descriptor{Digest: id, Size: 1} },
	} {
		d := good
		d.Bases, d.Layers = append([]delta.Descriptor{}, good.Bases...), append([]LayerDescription{}, good.Layers...)
		change(&d)
		f, err := Read(t.Context(), fileOf(t, d, config))
		if name == "good" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			f.Close()
		}
	}
	other := []tarEntry{{"oci-layout", string(store.LayoutFile()), ""}, {"index.json", `{"manifests":[]}`, ""}}
	for _, path := range []string{archiveOf(t, other...), archiveOf(t), archiveOf(t, tarEntry{"index.json", "[", ""})} {
		if _, err := Read(t.Context(), path); !errors.Is(err, ErrMalformed) {
			t.Errorf("%v", err)
		}
	}
}

// fileOf writes a delta with any description.
func fileOf(t testing.TB, d Description, config string) string {
	t.Helper()
	description := encode(d)
	desc := store.Describe(MediaType, description)
	m := ocispec.Manifest{Config: desc}
	raw := encode(m)
	top := artifactDescriptor(raw)
	index, _ := store.NewIndex([]ocispec.Descriptor{top})
	entries := []tarEntry{{ocispec.ImageLayoutFile, string(store.LayoutFile()), ""}, {ocispec.ImageIndexFile, string(index), ""}}
	for _, content := range []string{string(raw), string(description), config} {
		entries = append(entries, tarEntry{blobName(digest.FromString(content)), content, ""})
	}
	return archiveOf(t, entries...)
}

// FuzzRead opens and applies whatever stands in a file.
func FuzzRead(f *testing.F) {
	old := layoutOf(f, true, layerOf(f, 10))
	for _, target := range []string{layoutOf(f, true, layerOf(f, 11)), layoutOf(f, false, layerOf(f, 30))} {
		b, err := os.ReadFile(deltaFile(f, old, target, CreateOptions{}))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		name := filepath.Join(dir, digest.FromBytes(b).Encoded())
		defer os.RemoveAll(name)
		os.WriteFile(name, b, 0o644)
		file, err := Read(context.Background(), name)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Errorf("%v", err)
			}
			return
		}
		defer file.Close()
		i, err := Open(context.Background(), old, Choice{})
		if err != nil {
			t.Fatal(err)
		}
		defer i.Close()
		new := name + "-new"
		defer os.RemoveAll(new)
		if _, err := file.Apply(context.Background(), i, new, ApplyOptions{}); err != nil {
			if _, err := os.Lstat(new); err == nil {
				t.Error("an image stands there after a failure")
			}
		}
	})
}
