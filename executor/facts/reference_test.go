package facts

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func TestRegistryReference(t *testing.T) {
	s := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer s.Close()
	host := strings.TrimPrefix(s.URL, "http://")
	img, err := random.Index(10, 1, 2)
	check(t, err)
	ref, err := name.ParseReference(host + "/app:1")
	check(t, err)
	check(t, remote.WriteIndex(ref, img))
	want, err := img.Digest()
	check(t, err)

	w := workspace(t, nil)
	got, err := w.Reference(context.Background(), host+"/app:1")
	if err != nil || got.String() != want.String() {
		t.Errorf("got %s, %v", got, err)
	}
	if _, err := w.Reference(context.Background(), host+"/app:2"); err == nil || !strings.Contains(err.Error(), "no such image") {
		t.Errorf("unknown tag: %v", err)
	}
	if _, err := w.Reference(context.Background(), "Up per"); err == nil || !strings.Contains(err.Error(), "cannot parse") {
		t.Errorf("bad reference: %v", err)
	}
	s.Close()
	if got, err := w.Reference(context.Background(), host+"/app@"+sumA); err != nil || got != sumA {
		t.Errorf("with a digest nobody is asked: %s, %v", got, err)
	}
	if _, err := w.Reference(context.Background(), host+"/app:1"); err == nil {
		t.Error("a registry that is down answers")
	}
}

func TestLayoutReference(t *testing.T) {
	const sumB = "sha256:3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d"
	entry := func(digest, name string) string {
		return `{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":1,"digest":"` + digest + `","annotations":{"org.opencontainers.image.ref.name":"` + name + `"}}`
	}
	w := workspace(t, map[string]string{
		"one/index.json":     `{"schemaVersion":2,"manifests":[` + entry(sumA, "") + `]}`,
		"two/index.json":     `{"schemaVersion":2,"manifests":[` + entry(sumA, "1.0") + "," + entry(sumB, "r.example/app:2.0") + `]}`,
		"same/index.json":    `{"schemaVersion":2,"manifests":[` + entry(sumA, "x") + "," + entry(sumA, "y") + `]}`,
		"none/index.json":    `{"schemaVersion":2,"manifests":[]}`,
		"hostile/index.json": `{"schemaVersion":2,"manifests":[` + entry("sha256:../../x", "") + `]}`,
		"broken/index.json":  `{"schemaVersion":2,`,
	})
	for ref, want := range map[string]string{
		"one":         sumA,
		"two:1.0":     sumA,
		"two:2.0":     sumB,
		"two@" + sumB: sumB,
		"same":        sumA,
		"two":         "several such images",
		"two:3.0":     "no such image",
		"one:1.0":     "no such image",
		"none":        "it has: nothing",
		"hostile":     "invalid digest",
		"broken":      "cannot parse image index",
		"one@sha256:": "cannot parse digest",
		":tag":        "no path",
	} {
		got, err := w.Reference(context.Background(), "oci-layout://"+ref)
		switch {
		case strings.HasPrefix(want, "sha256:") && (err != nil || got.String() != want):
			t.Errorf("%s: %s, %v", ref, got, err)
		case !strings.HasPrefix(want, "sha256:") && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v", ref, err)
		}
	}
	if _, err := w.Reference(context.Background(), "oci-layout://"+"missing:1"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
}
