package registry

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// elsewhere is a registry of others, which wants a password where there is one.
func elsewhere(t *testing.T, password string) (host string, puts *atomic.Int64) {
	t.Helper()
	puts = new(atomic.Int64)
	h := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, got, _ := r.BasicAuth(); got != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.Method == http.MethodPatch {
			puts.Add(1)
		}
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://"), puts
}

func TestPush(t *testing.T) {
	w := plant(t)
	host, puts := elsewhere(t, "")
	d, err := w.releases[0].Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	o := PushOptions{Registry: host + "/mirror/", Active: true, Pushed: func(p Pushed) { told = append(told, p.Image) }}
	first, err := Push(t.Context(), w.store, d, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(first) != 2 || first[0].Sent == 0 || len(first[0].Tags) != 3 || strings.Join(told, " ") != "historian Web_UI" {
		t.Errorf("pushed %+v and told %q", first, told)
	}
	for _, p := range first {
		for _, tag := range p.Tags {
			pull(t, tag)
		}
	}
	ref, _ := name.ParseReference(host + "/mirror/web_ui:active")
	if got, err := remote.Head(ref); err != nil || got.Digest.String() != first[1].Digest.String() {
		t.Errorf("the index that was pushed is %v, %v", got, err)
	}
	puts.Store(0)
	again, err := Push(t.Context(), w.store, d, o)
	if err != nil || again[0].Sent+again[1].Sent != 0 || puts.Load() != 0 {
		t.Errorf("a second push sends %+v in %d requests: %v", again, puts.Load(), err)
	}
	next, err := w.releases[1].Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	more, err := Push(t.Context(), w.store, next, o)
	if err != nil || more[0].Sent == 0 || more[0].Sent >= first[0].Sent || more[1].Sent != 0 {
		t.Errorf("the next patch sends %+v: %v", more, err)
	}
}

func TestPushCredentials(t *testing.T) {
	w := plant(t)
	host, _ := elsewhere(t, "secret")
	d, _ := w.releases[0].Open(t.Context())
	_, err := Push(t.Context(), w.store, d, PushOptions{Registry: host})
	if err == nil || !strings.Contains(err.Error(), "docker login") || !strings.Contains(err.Error(), `"historian"`) {
		t.Errorf("without credentials: %v", err)
	}
	if _, err := Push(t.Context(), w.store, d, PushOptions{Registry: host, Credentials: oneLogin{}}); err != nil {
		t.Errorf("with credentials: %v", err)
	}
}

type oneLogin struct{}

func (oneLogin) Resolve(authn.Resource) (authn.Authenticator, error) {
	return &authn.Basic{Username: "ada", Password: "secret"}, nil
}

func TestPushFailures(t *testing.T) {
	w := plant(t)
	d, _ := w.releases[0].Open(t.Context())
	for _, where := range []string{"", "/", "mirror", "mirror/plant", "a b:1", "127.0.0.1:1/UPPER"} {
		if _, err := Push(t.Context(), w.store, d, PushOptions{Registry: where}); err == nil || !strings.HasPrefix(err.Error(), "cannot push to ") {
			t.Errorf("push to %q: %v", where, err)
		}
	}
	host, _ := elsewhere(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Push(ctx, w.store, d, PushOptions{Registry: host}); err == nil {
		t.Error("a cancelled push succeeds")
	}
	layer := d.Flotobuild.Images[0].Manifests[0].Layers[1]
	file := filepath.Join(w.store.Dir(), "blobs", "sha256", layer.Digest.Encoded())
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b[20] ^= 1
	os.Remove(file)
	os.WriteFile(file, b, 0o644)
	if _, err := Push(t.Context(), w.store, d, PushOptions{Registry: host}); err == nil || !strings.Contains(err.Error(), layer.Digest.String()) {
		t.Errorf("a damaged layer: %v", err)
	}
	ref, _ := name.ParseReference(host + "/historian:1.0.0")
	if _, err := remote.Head(ref); err == nil {
		t.Error("an image with a damaged layer is in the registry")
	}
}
