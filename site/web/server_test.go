package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/crane"

	"github.com/flotobuild/flotobuild/patch"
)

// TestStory takes a site through the API from its first patch to a rollback.
func TestStory(t *testing.T) {
	r, f := newRig(t), newFactory(t)
	var ids []string
	for _, content := range []string{"one", "two"} {
		name := r.upload(f.next(content))
		done := r.finish(r.want(202, r.operator, "POST", "/api/v1/incoming/"+name+"/import", nil))
		if done.State != Done || done.Patch == "" || done.By != "ada" {
			t.Fatalf("import: %+v", done)
		}
		ids = append(ids, done.Patch)
	}
	if text := r.want(200, r.viewer, "GET", "/api/v1/incoming", nil); !strings.Contains(text, `"files": []`) {
		t.Errorf("imported files stay: %s", text)
	}
	r.want(409, r.viewer, "GET", "/api/v1/receipt", nil)
	for _, id := range ids {
		if done := r.finish(r.want(202, r.operator, "POST", "/api/v1/patches/"+id+"/activate", nil)); done.State != Done {
			t.Fatalf("activation: %+v", done)
		}
	}
	if done := r.finish(r.want(202, r.operator, "POST", "/api/v1/patches/"+ids[0]+"/verify", nil)); done.State != Done {
		t.Errorf("check: %+v", done)
	}
	r.deployer.proceed <- nil
	if done := r.finish(r.want(202, r.operator, "POST", "/api/v1/redeploy", nil)); done.State != Done || done.Patch != ids[1] {
		t.Errorf("redeployment: %+v", done)
	}
	var d patch.Difference
	if err := json.Unmarshal([]byte(r.want(200, r.viewer, "GET", "/api/v1/patches/"+ids[0]+"/changes", nil)), &d); err != nil || len(d.Images) != 3 || d.Images[1].Change != patch.Changed {
		t.Errorf("changes: %+v, %v", d, err)
	}
	r.finish(r.want(202, r.operator, "POST", "/api/v1/patches/"+ids[0]+"/rollback", nil))
	var i SiteInfo
	if err := json.Unmarshal([]byte(r.want(200, r.viewer, "GET", "/api/v1/site", nil)), &i); err != nil || i.Active != ids[0] || i.Name != "hamburg" || i.You != "victor" || i.Role != "viewer" {
		t.Errorf("site: %+v, %v", i, err)
	}
	receipt := r.want(200, r.viewer, "GET", "/api/v1/receipt", nil)
	if got, _, err := patch.DecodeReceipt([]byte(receipt)); err != nil || got.Active.ID != ids[0] {
		t.Errorf("receipt: %+v, %v", got, err)
	}
	history := r.want(200, r.viewer, "GET", "/api/v1/history", nil)
	for _, action := range []string{"init", "import", "activate", "rollback", "verify"} {
		if !strings.Contains(history, `"action": "`+action+`"`) {
			t.Errorf("the history has no %s: %s", action, history)
		}
	}
	v, _ := r.signIn(r.viewer)
	for path, want := range map[string]string{
		"/": "plant 1.0.0", "/patches/" + ids[1]: "1 image changed", "/history": "rollback", "/tasks/1": "Import",
	} {
		if status, text := v.get(path); status != 200 || !strings.Contains(text, want) {
			t.Errorf("%s gives %d without %q: %s", path, status, want, text)
		}
	}
}

// TestDamage checks that a check finds what is wrong, and that it can be mended.
func TestDamage(t *testing.T) {
	r, f := newRig(t), newFactory(t)
	path := f.next("one")
	id := mustImport(t, r.site, path)
	p, err := r.site.Patch(id)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.site.Activate(t.Context(), id, "ada"); err != nil {
		t.Fatal(err)
	}
	layer := p.Images()[0].Manifests[0].Layers[0]
	blob := filepath.Join(r.site.Dir(), "blobs", "sha256", layer.Digest.Encoded())
	os.Chmod(blob, 0o600)
	os.WriteFile(blob, make([]byte, layer.Size), 0o600)
	conf := filepath.Join(p.Dir(), "conf", "plant.hcl")
	os.Chmod(conf, 0o600)
	os.WriteFile(conf, []byte("day = 9\n"), 0o600)
	done := r.finish(r.want(202, r.operator, "POST", "/api/v1/patches/"+id+"/verify", nil))
	if done.State != Failed || !strings.Contains(done.Error, "2 of ") || !strings.Contains(done.Error, "remove the folder patches/"+id) {
		t.Errorf("a damaged blob and a changed file: %+v", done)
	}
	_, lines, _ := r.server.tasks.find(done.ID).look(0)
	if len(lines) != 3 || !strings.Contains(lines[0].Text, layer.Digest.String()) || !strings.Contains(lines[1].Text, "conf/plant.hcl") {
		t.Errorf("the log is %+v", lines)
	}
	if history := r.want(200, r.viewer, "GET", "/api/v1/history?n=1", nil); !strings.Contains(history, `"error"`) {
		t.Errorf("the history does not say so: %s", history)
	}
	if err := os.RemoveAll(p.Dir()); err != nil {
		t.Fatal(err)
	}
	mustImport(t, r.site, path)
	if done := r.finish(r.want(202, r.operator, "POST", "/api/v1/patches/"+id+"/verify", nil)); done.State != Done {
		t.Errorf("after that it says %+v", done)
	}
	if active, _, err := r.site.Active(); err != nil || active != id {
		t.Errorf("%q is active: %v", active, err)
	}
}

func TestOneTaskAtATime(t *testing.T) {
	r, f := newRig(t), newFactory(t)
	id := mustImport(t, r.site, f.next("one"))
	if err := r.site.Activate(t.Context(), id, "ada"); err != nil {
		t.Fatal(err)
	}
	running := r.want(202, r.operator, "POST", "/api/v1/redeploy", nil)
	if text := r.want(409, r.operator, "POST", "/api/v1/redeploy", nil); !strings.Contains(text, "ada has begun a redeployment") {
		t.Errorf("the second task is told %s", text)
	}
	r.want(409, r.operator, "POST", "/api/v1/patches/"+id+"/verify", nil)
	r.want(403, r.viewer, "DELETE", "/api/v1/tasks/1", nil)
	r.want(204, r.operator, "DELETE", "/api/v1/tasks/1", nil)
	if done := r.finish(running); done.State != Cancelled || done.Error != "cancelled by ada" {
		t.Errorf("cancelled: %+v", done)
	}
	failing := r.want(202, r.operator, "POST", "/api/v1/redeploy", nil)
	r.server.Close() // the server ends
	if done := r.finish(failing); done.State != Cancelled || done.Error != errStopping.Error() {
		t.Errorf("at the server's end: %+v", done)
	}
	r.want(503, r.operator, "POST", "/api/v1/redeploy", nil)
}

func TestAbsent(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Deployer = nil })
	for _, c := range []struct {
		status       int
		method, path string
	}{
		{404, "GET", "/api/v1/patches/none"},
		{404, "POST", "/api/v1/patches/none/activate"},
		{404, "POST", "/api/v1/patches/none/rollback"},
		{404, "POST", "/api/v1/patches/none/verify"},
		{404, "GET", "/api/v1/patches/..%2f..%2fetc/changes"},
		{501, "POST", "/api/v1/redeploy"},
		{404, "POST", "/api/v1/incoming/none/import"},
		{404, "DELETE", "/api/v1/incoming/..%2fsite.json"},
		{404, "GET", "/api/v1/tasks/7"},
		{404, "GET", "/api/v1/tasks/x/events"},
		{404, "GET", "/api/v1/nothing"},
		{404, "POST", "/api/v1/site"},
		{404, "GET", "/nothing"},
		{404, "GET", "/static/"},
		{404, "GET", "/static/..%2fserver.go"},
		{400, "GET", "/api/v1/history?n=0"},
	} {
		if _, text := r.call(r.operator, c.method, c.path, nil); text == "" {
			t.Errorf("%s %s has an empty answer", c.method, c.path)
		}
		r.want(c.status, r.operator, c.method, c.path, nil)
	}
	f := newFactory(t)
	id := mustImport(t, r.site, f.next("one"))
	r.want(409, r.operator, "GET", "/api/v1/patches/"+id+"/changes", nil)
	done := r.finish(r.want(202, r.operator, "POST", "/api/v1/patches/"+id+"/rollback", nil))
	if done.State != Failed || !strings.Contains(done.Error, "was not active before") {
		t.Errorf("a rollback to what was never active: %+v", done)
	}
}

// TestPulls checks who may pull from the registry.
func TestPulls(t *testing.T) {
	r, f := newRig(t), newFactory(t)
	id := mustImport(t, r.site, f.next("one"))
	if err := r.site.Activate(t.Context(), id, "ada"); err != nil {
		t.Fatal(err)
	}
	ref := strings.TrimPrefix(r.http.URL, "http://") + "/historian:active"
	if _, err := crane.Manifest(ref); err == nil || !strings.Contains(err.Error(), "UNAUTHORIZED") {
		t.Errorf("a pull without a token: %v", err)
	}
	if _, err := crane.Manifest(ref, crane.WithAuth(&authn.Basic{Username: "victor", Password: "wrong"})); err == nil {
		t.Error("a pull with a wrong token succeeds")
	}
	if _, err := crane.Pull(ref, crane.WithAuth(&authn.Basic{Username: "victor", Password: r.viewer})); err != nil {
		t.Errorf("a pull with a token: %v", err)
	}
	open := newRig(t, func(o *Options) { o.AnonymousPull = true })
	open.want(200, "", "GET", "/v2/", nil)
	open.want(401, "", "GET", "/api/v1/site", nil)
}

func TestForms(t *testing.T) {
	r, f := newRig(t), newFactory(t)
	name := r.upload(f.next("one"))
	v, csrf := r.signIn(r.operator)
	if _, text := v.get("/"); !strings.Contains(text, name) {
		t.Error("a file that has arrived does not show")
	}
	status, text := v.post("/incoming/"+name+"/import", url.Values{"csrf": {csrf}})
	if status != 200 || !strings.Contains(text, "Import") {
		t.Errorf("import: %d %s", status, text)
	}
	for r.server.tasks.current() != nil {
		continue
	}
	v.get("/tasks/1")
	second := filepath.Join(t.TempDir(), "a?b#c%2f d&e.floto-patch.zip")
	if err := os.Rename(f.next("two"), second); err != nil {
		t.Fatal(err)
	}
	second = r.upload(second)
	_, text = v.get("/")
	if want := `action="/incoming/a%3Fb%23c%252f%20d&amp;e.floto-patch.zip/discard"`; !strings.Contains(text, want) {
		t.Errorf("the page has no %s: %s", want, text)
	}
	begun := r.beginUpload("later.floto-patch.zip", 100)
	if status, text := v.post("/incoming/"+url.PathEscape(second)+"/discard", url.Values{"csrf": {csrf}}); status != 200 || strings.Contains(text, second) {
		t.Errorf("discard: %d %s", status, text)
	}
	if status, text := v.post("/uploads/"+strings.TrimPrefix(begun, "/api/v1/uploads/")+"/discard", url.Values{"csrf": {csrf}}); status != 200 || strings.Contains(text, "later") {
		t.Errorf("discard of an upload: %d %s", status, text)
	}
	if status, _ := v.post("/logout", url.Values{"csrf": {csrf}}); status != 200 {
		t.Errorf("sign out: %d", status)
	}
	if _, text := v.get("/"); !strings.Contains(text, "Sign in") {
		t.Error("still signed in")
	}
	resp, err := http.Get(r.http.URL + "/static/style.css")
	if err != nil || resp.StatusCode != 200 || resp.Header.Get("ETag") == "" {
		t.Errorf("the style: %v", err)
	}
	resp.Body.Close()
}
