package registry

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/patch"
)

func ask(h http.Handler, method, path string, header ...string) *http.Response {
	r := httptest.NewRequest(method, path, nil)
	for n := 0; n < len(header); n += 2 {
		r.Header.Set(header[n], header[n+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// errorCode reads the code of the one error in an answer.
func errorCode(t *testing.T, r *http.Response) string {
	t.Helper()
	var v struct {
		Errors []struct{ Code, Message string }
	}
	text := body(t, r)
	if err := json.Unmarshal([]byte(text), &v); err != nil || len(v.Errors) != 1 || v.Errors[0].Message == "" {
		t.Fatalf("no error in the form of the specification: %s", text)
	}
	return v.Errors[0].Code
}

func TestRefusals(t *testing.T) {
	w := plant(t)
	h := w.handler()
	layer := w.layer("base").Digest.String()
	none := digest.FromString("none").String()
	other := newWorld(t)
	w.put("", []byte("of no image"))
	for _, c := range []struct {
		method, path string
		status       int
		code         string
	}{
		{"PUT", "/v2/historian/manifests/new", 405, codeUnsupported},
		{"POST", "/v2/historian/blobs/uploads/", 405, codeUnsupported},
		{"PATCH", "/v2/historian/blobs/uploads/1", 405, codeUnsupported},
		{"DELETE", "/v2/historian/manifests/active", 405, codeUnsupported},
		{"GET", "/v2/historian/manifests/2.0.0", 404, codeManifestUnknown},
		{"GET", "/v2/historian/manifests/" + none, 404, codeManifestUnknown},
		{"GET", "/v2/historian/manifests/..", 400, codeManifestInvalid},
		{"GET", "/v2/historian/manifests/sha512:" + strings.Repeat("a", 128), 400, codeManifestInvalid},
		{"GET", "/v2/historian/manifests/" + strings.Repeat("a", 129), 400, codeManifestInvalid},
		{"GET", "/v2/nothing/manifests/active", 404, codeNameUnknown},
		{"GET", "/v2/historian/web/manifests/active", 404, codeNameUnknown},
		{"GET", "/v2/Historian/manifests/active", 400, codeNameInvalid},
		{"GET", "/v2/../manifests/active", 400, codeNameInvalid},
		{"GET", "/v2/%2e%2e%2fetc/blobs/" + layer, 400, codeNameInvalid},
		{"GET", "/v2/" + strings.Repeat("a", 256) + "/tags/list", 400, codeNameInvalid},
		{"GET", "/v2/historian/blobs/" + none, 404, codeBlobUnknown},
		{"GET", "/v2/historian/blobs/" + digest.FromString("of no image").String(), 404, codeBlobUnknown},
		{"GET", "/v2/historian/blobs/sha256:abc", 400, codeDigestInvalid},
		{"GET", "/v2/historian/blobs/" + strings.ToUpper(layer), 400, codeDigestInvalid},
		{"GET", "/v2/web_ui/blobs/" + layer, 404, codeBlobUnknown},
		{"GET", "/v2/historian/referrers/active", 400, codeDigestInvalid},
		{"GET", "/v2/historian/tags", 404, codeUnsupported},
		{"GET", "/v2/nothing/tags/list", 404, codeNameUnknown},
		{"GET", "/v2/historian/tags/list?n=x", 400, codeUnsupported},
		{"GET", "/v1/", 404, codeUnsupported},
	} {
		r := ask(h, c.method, c.path)
		if r.StatusCode != c.status {
			t.Errorf("%s %s: status %d, not %d", c.method, c.path, r.StatusCode, c.status)
		}
		if code := errorCode(t, r); code != c.code {
			t.Errorf("%s %s: %s, not %s", c.method, c.path, code, c.code)
		}
	}
	if r := ask(other.handler(), "GET", "/v2/_catalog"); body(t, r) != `{"repositories":[]}` {
		t.Error("the catalog of a site without patches is no empty list")
	}
}

func TestManifestsAndBlobs(t *testing.T) {
	w := plant(t)
	h := w.handler()
	i := w.image("historian", "one")
	for _, ref := range []string{"active", "1.0.0", "2026-03-01-plant.north", i.Descriptor.Digest.String()} {
		r := ask(h, "GET", "/v2/historian/manifests/"+ref)
		if r.StatusCode != 200 || digest.FromString(body(t, r)) != i.Descriptor.Digest {
			t.Errorf("manifest %s: %s", ref, r.Status)
		}
		if got := r.Header.Get("Docker-Content-Digest"); got != i.Descriptor.Digest.String() {
			t.Errorf("manifest %s has digest %q in the header", ref, got)
		}
		if got := r.Header.Get("Content-Type"); got != i.Descriptor.MediaType {
			t.Errorf("manifest %s has type %q", ref, got)
		}
	}
	r := ask(h, "HEAD", "/v2/historian/manifests/active")
	if r.StatusCode != 200 || r.ContentLength != i.Descriptor.Size || body(t, r) != "" {
		t.Errorf("HEAD: %s, %d bytes", r.Status, r.ContentLength)
	}
	layer := i.Manifests[0].Layers[1]
	whole := body(t, ask(h, "GET", "/v2/historian/blobs/"+layer.Digest.String()))
	if digest.FromString(whole) != layer.Digest {
		t.Fatal("a layer is not what it should be")
	}
	path := "/v2/historian/blobs/" + layer.Digest.String()
	if r := ask(h, "GET", path, "Range", "bytes=3-9"); r.StatusCode != 206 || body(t, r) != whole[3:10] {
		t.Errorf("range: %s", r.Status)
	}
	if r := ask(h, "GET", path, "Range", "bytes=-4"); r.StatusCode != 206 || body(t, r) != whole[len(whole)-4:] {
		t.Errorf("range from the end: %s", r.Status)
	}
	if r := ask(h, "GET", path, "Range", "bytes=999999-"); r.StatusCode != 416 {
		t.Errorf("range behind the end: %s", r.Status)
	}
	if r := ask(h, "GET", path, "If-None-Match", `"`+layer.Digest.String()+`"`); r.StatusCode != 304 {
		t.Errorf("known ETag: %s", r.Status)
	}
	if r := ask(h, "HEAD", path); r.StatusCode != 200 || r.ContentLength != layer.Size {
		t.Errorf("HEAD of a blob: %s, %d bytes", r.Status, r.ContentLength)
	}
	config := "/v2/historian/blobs/" + i.ID.String()
	if r := ask(h, "GET", config); digest.FromString(body(t, r)) != i.ID {
		t.Errorf("config: %s", r.Status)
	}
}

func TestLists(t *testing.T) {
	w := plant(t)
	h := w.handler()
	for path, want := range map[string]string{
		"/v2/":                                  `{}`,
		"/v2":                                   `{}`,
		"/v2/_catalog":                          `{"repositories":["historian","web_ui"]}`,
		"/v2/_catalog?n=1":                      `{"repositories":["historian"]}`,
		"/v2/_catalog?last=historian":           `{"repositories":["web_ui"]}`,
		"/v2/_catalog?last=zzz":                 `{"repositories":[]}`,
		"/v2/historian/tags/list":               `{"name":"historian","tags":["1.0.0","1.1.0_3","2026-03-01-plant.north","2026-03-02-plant.north","active"]}`,
		"/v2/historian/tags/list?n=0":           `{"name":"historian","tags":[]}`,
		"/v2/historian/tags/list?n=2&last=1.05": `{"name":"historian","tags":["1.1.0_3","2026-03-01-plant.north"]}`,
	} {
		if got := body(t, ask(h, "GET", path)); got != want {
			t.Errorf("%s gives %s, not %s", path, got, want)
		}
	}
	if got := ask(h, "GET", "/v2/_catalog?n=1").Header.Get("Link"); got != `</v2/_catalog?last=historian&n=1>; rel="next"` {
		t.Errorf("the next page is at %s", got)
	}
	r := ask(h, "GET", "/v2/historian/referrers/"+digest.FromString("x").String()+"?artifactType=a")
	var index ocispec.Index
	if err := json.Unmarshal([]byte(body(t, r)), &index); err != nil || index.Manifests == nil || len(index.Manifests) != 0 || index.SchemaVersion != 2 {
		t.Errorf("referrers are no empty index: %+v, %v", index, err)
	}
	if r.Header.Get("Content-Type") != ocispec.MediaTypeImageIndex {
		t.Error("referrers have the wrong type")
	}
}

// TestFollows checks that a running registry sees what happens at the site.
func TestFollows(t *testing.T) {
	w := plant(t)
	h := w.handler()
	digestOf := func(ref string) string {
		return ask(h, "HEAD", "/v2/historian/manifests/"+ref).Header.Get("Docker-Content-Digest")
	}
	if digestOf("active") != digestOf("1.0.0") {
		t.Fatal("active is not the first patch")
	}
	w.activate(1)
	if digestOf("active") != digestOf("1.1.0_3") {
		t.Error("activation does not show")
	}
	gone := digestOf("1.0.0")
	w.releases = w.releases[1:]
	if digestOf("1.0.0") != "" || digestOf(gone) != "" {
		t.Error("a patch that is gone still shows")
	}
	three := w.image("historian", "three")
	w.release(3, "1.2.0", three)
	if digestOf(three.Descriptor.Digest.String()) == "" {
		t.Error("a new patch does not show")
	}
	if w.asked != 3 {
		t.Errorf("descriptions were opened %d times", w.asked)
	}
}

// TestBrokenPatch checks that one patch that cannot be read leaves the others.
func TestBrokenPatch(t *testing.T) {
	w := plant(t)
	good := w.releases[0].Open
	w.releases[0].Open = func(context.Context) (*patch.Description, error) { return nil, errors.New("it is damaged") }
	h := w.handler()
	if r := ask(h, "GET", "/v2/historian/manifests/1.1.0_3"); r.StatusCode != 200 {
		t.Errorf("the other patch: %s", r.Status)
	}
	w.releases[0].Open = good
	if r := ask(h, "GET", "/v2/historian/manifests/1.0.0"); r.StatusCode != 200 {
		t.Errorf("once it can be read: %s", r.Status)
	}
}

func TestDamagedStore(t *testing.T) {
	w := plant(t)
	h := w.handler()
	i := w.image("historian", "one")
	file := func(d digest.Digest) string { return filepath.Join(w.store.Dir(), "blobs", "sha256", d.Encoded()) }
	if err := os.Remove(file(i.Manifests[0].Layers[1].Digest)); err != nil {
		t.Fatal(err)
	}
	if r := ask(h, "GET", "/v2/historian/blobs/"+i.Manifests[0].Layers[1].Digest.String()); errorCode(t, r) != codeBlobUnknown {
		t.Errorf("a blob that is gone: %s", r.Status)
	}
	b, err := os.ReadFile(file(i.Descriptor.Digest))
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	os.Remove(file(i.Descriptor.Digest))
	if err := os.WriteFile(file(i.Descriptor.Digest), b, 0o644); err != nil {
		t.Fatal(err)
	}
	if r := ask(h, "GET", "/v2/historian/manifests/active"); r.StatusCode != 500 || errorCode(t, r) != codeUnknown {
		t.Errorf("a damaged manifest: %s", r.Status)
	}
	if r := ask(h, "GET", "/v2/historian/manifests/active"); r.StatusCode != 404 {
		t.Errorf("a damaged manifest that was set aside: %s", r.Status)
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"historian": "historian", "plant/web": "plant/web", "Web_UI": "web_ui", "a__b": "a__b", "a--b": "a--b",
		"a.-b": "a-b", "Prüfung": "pr-fung", "-x-": "x", "a b/c": "a-b-c",
	} {
		if got := RepositoryName(name); got != want {
			t.Errorf("%q gives %q, not %q", name, got, want)
		}
	}
	if got := RepositoryName("Ö"); !strings.HasPrefix(got, "image-") || !validRepository.MatchString(got) {
		t.Errorf("Ö gives %q", got)
	}
	got := repositoryNames(map[string]bool{"app": true, "App": true, "APP": true})
	if got["app"] != "app" || got["App"] == got["APP"] || got["App"] == "app" || !strings.HasPrefix(got["App"], "app-") {
		t.Errorf("names that differ in case alone give %q", got)
	}
	for text, want := range map[string]string{"1.0.0": "1.0.0", "1.0.0+3": "1.0.0_3", "-x": "_-x", ".x": "_.x", "ä": "_", "": ""} {
		if got := tagOf(text); got != want {
			t.Errorf("the tag of %q is %q, not %q", text, got, want)
		}
	}
	long := []string{tagOf(strings.Repeat("a", 200) + "1"), tagOf(strings.Repeat("a", 200) + "2")}
	if long[0] == long[1] || slices.ContainsFunc(long, func(s string) bool { return !validTag.MatchString(s) }) {
		t.Errorf("long tags: %q", long)
	}
}

// FuzzPath asks for paths of all kinds: answers are JSON, and nothing but what
// the patches have is given out.
func FuzzPath(f *testing.F) {
	w := plant(f)
	h := w.handler()
	w.put("", []byte("of no image"))
	secret := digest.FromString("of no image").String()
	for _, p := range []string{
		"/v2/", "/v2", "/v2//", "/v2/_catalog", "/v2/historian/tags/list", "/v2/a/b/manifests/x", "/v2/historian/manifests/active",
		"/v2/historian/blobs/" + secret, "/v2/../../etc/blobs/passwd", "/v2/historian/referrers/" + secret, "/v2/ä/tags/list", "/v2/\x00/tags/list",
	} {
		f.Add("GET", p)
	}
	f.Fuzz(func(t *testing.T, method, path string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Method, r.URL.Path = method, path
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if rec.Code == 500 {
			t.Errorf("%q fails: %s", path, rec.Body)
		}
		if rec.Code == 200 && method != "GET" && method != "HEAD" {
			t.Errorf("method %q is answered", method)
		}
		if rec.Code >= 400 && !json.Valid(rec.Body.Bytes()) {
			t.Errorf("an error is no JSON: %s", rec.Body)
		}
		if rec.Body.String() == "of no image" {
			t.Errorf("%q gives out what is of no image", path)
		}
	})
}
