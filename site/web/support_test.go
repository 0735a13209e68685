package web

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flotobuild/flotobuild/site"
	"github.com/flotobuild/flotobuild/site/access"
)

// A rig is a running server of a site with two people.
type rig struct {
	t        *testing.T
	site     *site.Site
	server   *Server
	http     *httptest.Server
	deployer *fakeDeployer
	tokens   *access.File
	operator string // their tokens
	viewer   string
	pace     atomic.Int64 // nanoseconds that each read of a body waits
	down     atomic.Bool  // every connection is cut
}

func newRig(t *testing.T, change ...func(*Options)) *rig {
	t.Helper()
	r := &rig{t: t, site: newSite(t), deployer: &fakeDeployer{proceed: make(chan error, 1)}}
	r.tokens = access.Open(filepath.Join(r.site.Dir(), "tokens"))
	var err error
	if r.operator, err = r.tokens.Add(t.Context(), "ada", access.Operator); err != nil {
		t.Fatal(err)
	}
	if r.viewer, err = r.tokens.Add(t.Context(), "victor", access.Viewer); err != nil {
		t.Fatal(err)
	}
	o := Options{Site: r.site, Tokens: r.tokens, Deployer: r.deployer, Version: "0.0.0-test"}
	for _, c := range change {
		c(&o)
	}
	if r.server, err = New(o); err != nil {
		t.Fatal(err)
	}
	r.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if r.down.Load() {
			if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
				c.Close()
			}
			return
		}
		req.Body = &pacedBody{req.Body, &r.pace}
		r.server.ServeHTTP(w, req)
	}))
	t.Cleanup(func() {
		r.server.Close()
		r.http.CloseClientConnections()
		r.http.Close()
	})
	return r
}

// A pacedBody is read slowly.
type pacedBody struct {
	io.ReadCloser
	pace *atomic.Int64
}

func (b *pacedBody) Read(p []byte) (int, error) {
	time.Sleep(time.Duration(b.pace.Load()))
	return b.ReadCloser.Read(p)
}

// A fakeDeployer says two lines and waits for the test in between.
type fakeDeployer struct{ proceed chan error }

func (d *fakeDeployer) Redeploy(ctx context.Context, by string, to Listener) error {
	to.Log("pulling images for " + by)
	to.Progress(Progress{"pulling images", 1 << 20, 4 << 20})
	select {
	case err := <-d.proceed:
		to.Log("containers are healthy")
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// call sends a request with a token, and gives status and body.
func (r *rig) call(token, method, path string, body []byte, header ...string) (*http.Response, string) {
	r.t.Helper()
	req, err := http.NewRequest(method, r.http.URL+path, bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for n := 0; n < len(header); n += 2 {
		if header[n] == "Host" {
			req.Host = header[n+1]
		}
		req.Header.Set(header[n], header[n+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp, string(b)
}

// want is a call that must have a status.
func (r *rig) want(status int, token, method, path string, body []byte, header ...string) string {
	r.t.Helper()
	resp, text := r.call(token, method, path, body, header...)
	if resp.StatusCode != status {
		r.t.Fatalf("%s %s: status %d, not %d: %s", method, path, resp.StatusCode, status, text)
	}
	return text
}

// finish waits for the task that an answer names, and gives it.
func (r *rig) finish(answer string) TaskInfo {
	r.t.Helper()
	var info TaskInfo
	if err := json.Unmarshal([]byte(answer), &info); err != nil {
		r.t.Fatalf("no task: %s", answer)
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if t := r.server.tasks.find(info.ID); t != nil && t.see().State != Running {
			return t.see()
		}
	}
	r.t.Fatalf("task %d does not end", info.ID)
	return info
}

var tusHeaders = []string{"Tus-Resumable", "1.0.0"}

// upload sends a file whole.
func (r *rig) upload(path string) (name string) {
	r.t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		r.t.Fatal(err)
	}
	name = filepath.Base(path)
	location := r.beginUpload(name, len(b))
	r.want(204, r.operator, "PATCH", location, b, append(tusHeaders, "Upload-Offset", "0", "Content-Type", offsetType)...)
	return name
}

func (r *rig) beginUpload(name string, size int) (location string) {
	r.t.Helper()
	resp, text := r.call(r.operator, "POST", "/api/v1/uploads", nil,
		append(tusHeaders, "Upload-Length", fmt.Sprint(size), "Upload-Metadata", metadata(name))...)
	if resp.StatusCode != http.StatusCreated {
		r.t.Fatalf("no upload: %s", text)
	}
	return resp.Header.Get("Location")
}

func metadata(name string) string {
	return "filename " + base64.StdEncoding.EncodeToString([]byte(name))
}

// A visitor is somebody with a browser.
type visitor struct {
	r      *rig
	client *http.Client
}

func (r *rig) visitor() *visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return &visitor{r, &http.Client{Jar: jar}}
}

func (v *visitor) get(path string) (int, string) {
	v.r.t.Helper()
	return v.read(v.client.Get(v.r.http.URL + path))
}

func (v *visitor) post(path string, form url.Values) (int, string) {
	v.r.t.Helper()
	return v.read(v.client.PostForm(v.r.http.URL+path, form))
}

func (v *visitor) read(resp *http.Response, err error) (int, string) {
	v.r.t.Helper()
	if err != nil {
		v.r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		v.r.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// signIn gives a browser that has signed in, and what its forms carry.
func (r *rig) signIn(token string) (*visitor, string) {
	r.t.Helper()
	v := r.visitor()
	if status, text := v.post("/login", url.Values{"token": {token}}); status != 200 || !strings.Contains(text, "Sign out") {
		r.t.Fatalf("cannot sign in: %d %s", status, text)
	}
	_, text := v.get("/")
	m := regexp.MustCompile(`<meta name="csrf" content="(\w+)">`).FindStringSubmatch(text)
	if m == nil {
		r.t.Fatal("the page has no token against forgery")
	}
	return v, m[1]
}
