package facts

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func TestSourceSize(t *testing.T) {
	dir := t.TempDir()
	blobs := filepath.Join(dir, "vendor", "blobs", "sha256")
	if err := os.MkdirAll(blobs, 0o755); err != nil {
		t.Fatal(err)
	}
	put := func(v any) digest.Digest {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		d := digest.FromBytes(b)
		if err := os.WriteFile(filepath.Join(blobs, d.Encoded()), b, 0o644); err != nil {
			t.Fatal(err)
		}
		return d
	}
	layer := func(name string, size int64) ocispec.Descriptor {
		return ocispec.Descriptor{Digest: digest.FromString(name), Size: size}
	}
	amd := put(ocispec.Manifest{Layers: []ocispec.Descriptor{layer("shared", 10), layer("amd", 100), layer("shared", 10)}})
	arm := put(ocispec.Manifest{Layers: []ocispec.Descriptor{layer("shared", 10), layer("arm", 1000)}})
	platform := func(d digest.Digest, arch string) ocispec.Descriptor {
		return ocispec.Descriptor{Digest: d, Platform: &ocispec.Platform{OS: "linux", Architecture: arch}}
	}
	index := put(ocispec.Index{Manifests: []ocispec.Descriptor{platform(amd, "amd64"), platform(arm, "arm64"), {Digest: arm}}})
	w, err := Open(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	const ref = "oci-layout://vendor:1.0"
	for _, c := range []struct {
		name      string
		ref       string
		d         digest.Digest
		platforms []string
		want      int64
	}{
		{"manifest", ref, amd, []string{"linux/amd64"}, 110},
		{"index", ref, index, []string{"linux/arm64"}, 1010},
		{"two platforms", ref, index, []string{"linux/amd64", "linux/arm64"}, 1110},
		{"another platform", ref, index, []string{"linux/s390x"}, 0},
		{"registry", "registry.example/app:1", amd, []string{"linux/amd64"}, 0},
		{"missing", ref, digest.FromString("missing"), []string{"linux/amd64"}, 0},
		{"no digest", ref, "sha256:../../x", []string{"linux/amd64"}, 0},
		{"negative", ref, put(ocispec.Manifest{Layers: []ocispec.Descriptor{layer("a", -5)}}), nil, 0},
		{"too much", ref, put(ocispec.Manifest{Layers: []ocispec.Descriptor{layer("a", 1<<62), layer("b", 1<<62)}}), nil, 0},
		{"no manifest", ref, put("text"), nil, 0},
	} {
		if got := w.SourceSize(c.ref, c.d, c.platforms); got != c.want {
			t.Errorf("%s: %d bytes; want %d", c.name, got, c.want)
		}
	}
}
