package metadata

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flotobuild/flotobuild/envelope"
)

const (
	describeURL = "/eve/v1/patch/description.json"
	download    = "/eve/v1/patch/download/"
)

func TestRequests(t *testing.T) {
	f := newFixture(t, settings(), stored())
	f.put(volumeID, []byte("bytes of the model"))
	f.put(secretID, []byte("bytes of the weights"))
	old := time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)
	for _, name := range []string{volumeID, "config.pb"} {
		if err := os.Chtimes(f.path(name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	f.load()
	const modified = "Sat, 01 Aug 2026 12:00:00 GMT"
	none := `{"message": "No envelopes for ` + idleApp + `"}`
	for _, c := range []struct {
		name, method, source, path string
		header                     []string
		status                     int
		body                       string
		want                       map[string]string
	}{
		{"unknown source", "GET", elsewhere, describeURL, nil, 204, "", nil},
		{"unknown source, any path", "GET", elsewhere, "/eve/v1/patch/x", nil, 204, "", nil},
		{"unknown source, blob", "GET", elsewhere, download + patchID + "/limits.yaml", nil, 204, "", nil},
		{"mapped as IPv6", "GET", "[::ffff:192.0.2.1]:9", download + patchID + "/limits.yaml", nil, 200, "bWF4OiA3Cg==", nil},
		{"no active envelope", "GET", idleAddress, describeURL, nil, 404, none, map[string]string{"Content-Type": "text/plain"}},
		{"no active envelope, stored blob", "GET", idleAddress, download + storedID + "/x", nil, 404, none, nil},
		{"POST", "POST", appAddress, describeURL, nil, 405, "", map[string]string{"Allow": "GET, HEAD"}},
		{"PUT", "PUT", appAddress, download + patchID + "/limits.yaml", nil, 405, "", nil},
		{"DELETE", "DELETE", appAddress, download + patchID, nil, 405, "", nil},
		{"OPTIONS", "OPTIONS", elsewhere, describeURL, nil, 405, "", nil},
		{"description HEAD", "HEAD", appAddress, describeURL, nil, 200, "-", map[string]string{"Content-Type": "application/json"}},
		{"plain", "GET", appAddress, download + patchID + "/limits.yaml", nil, 200, "bWF4OiA3Cg==", map[string]string{"Last-Modified": modified, "Content-Length": "12", "Accept-Ranges": "bytes"}},
		{"plain HEAD", "HEAD", appAddress, download + patchID + "/limits.yaml", nil, 200, "", map[string]string{"Last-Modified": modified, "Content-Length": "12"}},
		{"plain range", "GET", appAddress, download + patchID + "/limits.yaml", []string{"Range", "bytes=2-4"}, 206, "F4O", map[string]string{"Content-Range": "bytes 2-4/12"}},
		{"plain last bytes", "GET", appAddress, download + patchID + "/limits.yaml", []string{"Range", "bytes=-2"}, 206, "==", nil},
		{"range past the end", "GET", appAddress, download + patchID + "/limits.yaml", []string{"Range", "bytes=12-"}, 416, "-", map[string]string{"Content-Range": "bytes */12"}},
		{"not modified", "GET", appAddress, download + patchID + "/limits.yaml", []string{"If-Modified-Since", modified}, 304, "", nil},
		{"modified", "GET", appAddress, download + patchID + "/limits.yaml", []string{"If-Modified-Since", "Fri, 31 Jul 2026 12:00:00 GMT"}, 200, "bWF4OiA3Cg==", nil},
		{"encrypted", "GET", appAddress, download + patchID + "/password", nil, 200, "Y29ycmVjdCBob3JzZQo=", map[string]string{"Content-Type": "text/plain", "Content-Disposition": `attachment; filename="data.txt"`}},
		{"encrypted HEAD", "HEAD", appAddress, download + patchID + "/password", nil, 200, "", map[string]string{"Content-Length": "20"}},
		{"encrypted range", "GET", appAddress, download + patchID + "/password", []string{"Range", "bytes=0-3"}, 206, "Y29y", nil},
		{"volume", "GET", appAddress, download + patchID + "/model.bin", nil, 200, "bytes of the model", map[string]string{"Last-Modified": modified}},
		{"volume range", "GET", appAddress, download + patchID + "/model.bin", []string{"Range", "bytes=13-"}, 206, "model", nil},
		{"volume not modified", "GET", appAddress, download + patchID + "/model.bin", []string{"If-Modified-Since", modified}, 304, "", nil},
		{"encrypted volume", "GET", appAddress, download + patchID + "/weights.bin", nil, 200, "bytes of the weights", nil},
		{"volume that is not there", "GET", appAddress, download + patchID + "/late.bin", nil, 404, `{"message": "file is not found"}`, nil},
		{"unknown file", "GET", appAddress, download + patchID + "/x", nil, 404, `{"message": "file is not found"}`, map[string]string{"Content-Type": "text/plain"}},
		{"no file", "GET", appAddress, download + patchID + "/", nil, 404, `{"message": "file is not found"}`, nil},
		{"unknown patch", "GET", appAddress, download + "x/limits.yaml", nil, 404, `{"message": "patch is not found"}`, nil},
		{"stored patch", "GET", appAddress, download + storedID + "/x", nil, 404, `{"message": "patch is not found"}`, nil},
		{"unknown archive", "GET", appAddress, download + "x", nil, 401, "Unauthorized\n", nil},
		{"stored archive", "GET", appAddress, download + storedID, nil, 401, "Unauthorized\n", nil},
		{"archive HEAD", "HEAD", appAddress, download + patchID, nil, 200, "", map[string]string{"Content-Type": "application/zip"}},
		{"outside", "GET", appAddress, "/", nil, 404, "404 page not found\n", nil},
		{"other path", "GET", appAddress, "/eve/v1/patch/other", nil, 404, "404 page not found\n", nil},
		{"too deep", "GET", appAddress, download + patchID + "/limits.yaml/x", nil, 404, "404 page not found\n", nil},
		{"traversal", "GET", appAddress, download + patchID + "/../../../../etc/passwd", nil, 404, "404 page not found\n", nil},
		{"escaped traversal", "GET", appAddress, download + patchID + "/..%2f..%2fconfig.pb", nil, 404, `{"message": "file is not found"}`, nil},
		{"name of a volume's file", "GET", appAddress, download + patchID + "/" + volumeID, nil, 404, `{"message": "file is not found"}`, nil},
		{"empty segment", "GET", appAddress, download, nil, 404, "404 page not found\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := f.do(c.method, c.source, c.path, c.header...)
			if w.Code != c.status || c.body != "-" && w.Body.String() != c.body {
				t.Errorf("got %d %q, want %d %q", w.Code, w.Body, c.status, c.body)
			}
			for name, want := range c.want {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
	if strings.Contains(f.log.String(), "Y29ycm") || strings.Contains(f.log.String(), "horse") {
		t.Error("a secret is in the log")
	}
}

func TestDescription(t *testing.T) {
	f := newFixture(t, settings(), stored())
	f.put(volumeID, []byte("bytes of the model"))
	f.put(secretID, []byte("bytes of the weights"))
	f.load()
	url := func(name string) string { return "http://169.254.169.254" + download + patchID + "/" + name }
	want := `[{"PatchID":"` + patchID + `","Version":"1.2","BinaryBlobs":[` +
		`{"artifactMetaData":"a4","encArtifactMeta":{},"fileMetaData":"m4","fileName":"limits.yaml","fileSha":"37bd7136be6f39c9b44252b1388bcc0f75758b9f3920dcc22a9ddfc8a75991be","size":12,"url":"` + url("limits.yaml") + `"},` +
		`{"artifactMetaData":"a2","encArtifactMeta":{},"fileMetaData":"m2","fileName":"model.bin","fileSha":"a793973d6281423cce702a96f6e0f53309c4d955ebadd79cc6e1173bc38fc725","size":18,"url":"` + url("model.bin") + `"},` +
		`{"artifactMetaData":"","encArtifactMeta":{},"fileMetaData":"","fileName":"weights.bin","fileSha":"fb874e3dbeeac515e675aa68805bbd92cb069e32e5b546c88c666240f111ecd0","size":20,"url":"` + url("weights.bin") + `"},` +
		`{"artifactMetaData":"","encArtifactMeta":{},"fileMetaData":"m1","fileName":"password","fileSha":"df825d45408b16e52b49b7c33967c05a32cdaa16712907d0f2f8036eca006c05","size":20,"url":"` + url("password") + `"}],` +
		`"VolumeRefs":[{"artifactMetaData":"","encArtifactMeta":{},"fileMetaData":"m3","fileName":"late.bin","imageId":"` + lateID + `","imageName":"late"}]}]`
	if got := f.get(describeURL); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	f.write(&envelope.Definition{Name: "empty", UUID: patchID, Activate: true, Apps: []string{app}})
	f.load()
	if got, want := f.get(describeURL), `[{"PatchID":"`+patchID+`","Version":"","BinaryBlobs":null,"VolumeRefs":null}]`; got != want {
		t.Errorf("empty envelope: got %s", got)
	}
}

func TestBaseURL(t *testing.T) {
	f := newFixture(t, settings())
	f.server.opts.BaseURL = "http://127.0.0.1:8087"
	f.load()
	if got := f.get(describeURL); !strings.Contains(got, `"url":"http://127.0.0.1:8087/eve/v1/patch/download/`+patchID+`/limits.yaml"`) {
		t.Errorf("got %s", got)
	}
}

func TestArchive(t *testing.T) {
	f := newFixture(t, settings())
	f.put(volumeID, []byte("bytes of the model"))
	f.load()
	b := f.get(download + patchID)
	z, err := zip.NewReader(bytes.NewReader([]byte(b)), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range z.File {
		r, err := e.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil || e.Method != zip.Deflate {
			t.Errorf("%s: method %d, %v", e.Name, e.Method, err)
		}
		got = append(got, e.Name+"="+string(content))
	}
	if want := []string{"limits.yaml=bWF4OiA3Cg==", "model.bin=bytes of the model", "password=Y29ycmVjdCBob3JzZQo="}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	// A volume that changes before the archive is complete breaks it.
	f.put(volumeID, []byte("other bytes of other length"))
	func() {
		defer func() {
			if err, _ := recover().(error); !errors.Is(err, http.ErrAbortHandler) {
				t.Error("the archive ended as if it were whole")
			}
		}()
		f.get(download + patchID)
	}()
	if w := f.do("GET", appAddress, download+patchID+"/model.bin"); w.Code != 404 {
		t.Errorf("a changed volume is served with status %d", w.Code)
	}
}

func TestUsage(t *testing.T) {
	f := newFixture(t, settings())
	f.load()
	f.get(describeURL)
	f.get(describeURL)
	f.get(download + patchID + "/limits.yaml")
	f.get(download + patchID)
	f.get(download + patchID + "/none")
	if got, want := f.server.Usage(), []Usage{{app, patchID, 2, 2}}; !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	for line := range strings.Lines(f.log.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("the log has %q", line)
		}
	}
}

// All secrets of a device show, though all begin alike.
func TestManySecrets(t *testing.T) {
	d := &envelope.Definition{Name: "e", UUID: patchID, Activate: true, Apps: []string{app}}
	for n := range 50 {
		d.Blobs = append(d.Blobs, envelope.Blob{Name: fmt.Sprintf("secret-%d", n), Content: []byte(fmt.Sprintf("the same first bytes for all, then %d", n)), Encrypt: true})
	}
	f := newFixture(t, d)
	f.load()
	var got []struct{ BinaryBlobs []blobInfo }
	if err := json.Unmarshal([]byte(f.get(describeURL)), &got); err != nil || len(got[0].BinaryBlobs) != 50 {
		t.Fatalf("%d blobs, %v", len(got[0].BinaryBlobs), err)
	}
	seen := make(map[string]bool)
	for _, b := range got[0].BinaryBlobs {
		text := f.get(download + patchID + "/" + b.FileName)
		seen[text] = true
	}
	if len(seen) != 50 {
		t.Errorf("%d different secrets", len(seen))
	}
}

func FuzzPaths(f *testing.F) {
	fx := newFixture(f, settings())
	fx.put(volumeID, []byte("bytes of the model"))
	fx.load()
	known := map[string]bool{"bWF4OiA3Cg==": true, "Y29ycmVjdCBob3JzZQo=": true, "bytes of the model": true, fx.get(describeURL): true}
	for _, path := range []string{describeURL, download + patchID + "/limits.yaml", download + patchID + "/..%2fconfig.pb", "//", "/%00", download + "../../../../etc/passwd"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		r, err := http.NewRequest(http.MethodGet, "http://host/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if u, err := r.URL.Parse(path); err == nil {
			r.URL = u
		} else {
			r.URL.Path = path
		}
		r.RemoteAddr = appAddress
		w := &recorder{header: make(http.Header)}
		fx.server.ServeHTTP(w, r)
		fx.log.Reset()
		if w.status == 200 && !known[w.body.String()] && w.header.Get("Content-Type") != "application/zip" {
			t.Fatalf("path %q gives %q", path, w.body.String())
		}
	})
}

// A recorder keeps an answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(code int) { r.status = code }

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = 200
	}
	return r.body.Write(b)
}
