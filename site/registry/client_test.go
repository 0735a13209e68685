package registry

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// TestOtherClient pulls every image of every patch with another implementation,
// which compares all digests.
func TestOtherClient(t *testing.T) {
	w := plant(t)
	host := w.serve()
	repos, err := crane.Catalog(host)
	if err != nil || !slices.Equal(repos, []string{"historian", "web_ui"}) {
		t.Fatalf("catalog: %q, %v", repos, err)
	}
	pulled := 0
	for _, repo := range repos {
		tags, err := crane.ListTags(host + "/" + repo)
		if err != nil {
			t.Fatal(err)
		}
		for _, tag := range tags {
			pull(t, host+"/"+repo+":"+tag)
			pulled++
		}
	}
	if pulled != 10 {
		t.Errorf("%d tags were pulled", pulled)
	}
}

// pull reads an image or an index with all that it has.
func pull(t *testing.T, text string) {
	t.Helper()
	ref, err := name.ParseReference(text)
	if err != nil {
		t.Fatal(err)
	}
	desc, err := remote.Get(ref)
	if err != nil {
		t.Fatal(err)
	}
	if desc.MediaType.IsIndex() {
		index, err := desc.ImageIndex()
		if err == nil {
			err = validate.Index(index)
		}
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
	} else {
		image, err := desc.Image()
		if err == nil {
			err = validate.Image(image)
		}
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	refs, err := remote.Referrers(ref.Context().Digest(desc.Digest.String()))
	if err != nil {
		t.Fatalf("referrers of %s: %v", text, err)
	}
	if m, err := refs.IndexManifest(); err != nil || len(m.Manifests) != 0 {
		t.Errorf("referrers of %s: %v, %v", text, m, err)
	}
}

// TestPlatform pulls one platform of an image for several.
func TestPlatform(t *testing.T) {
	host := plant(t).serve()
	image, err := crane.Pull(host+"/web_ui:active", crane.WithPlatform(&v1.Platform{OS: "linux", Architecture: "arm64"}))
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil || config.Architecture != "arm64" {
		t.Fatalf("%+v, %v", config, err)
	}
	var b strings.Builder
	if err := crane.Export(image, &b); err != nil || !strings.Contains(b.String(), "web_ui for arm64") && !strings.Contains(b.String(), "Web_UI for arm64") {
		t.Errorf("the file system is wrong: %v", err)
	}
}
