package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flotobuild/flotobuild/site/access"
)

// everything that needs a role, and which.
var guarded = []struct {
	role         access.Role
	method, path string
}{
	{access.Viewer, "GET", "/"},
	{access.Viewer, "GET", "/history"},
	{access.Viewer, "GET", "/patches/x"},
	{access.Viewer, "GET", "/tasks/1"},
	{access.Viewer, "GET", "/receipt"},
	{access.Viewer, "GET", "/vars"},
	{access.Viewer, "GET", "/api/v1/vars"},
	{access.Viewer, "GET", "/v2/"},
	{access.Viewer, "GET", "/v2/historian/manifests/active"},
	{access.Viewer, "GET", "/api/v1/site"},
	{access.Viewer, "GET", "/api/v1/patches"},
	{access.Viewer, "GET", "/api/v1/patches/x"},
	{access.Viewer, "GET", "/api/v1/patches/x/changes"},
	{access.Viewer, "GET", "/api/v1/history"},
	{access.Viewer, "GET", "/api/v1/receipt"},
	{access.Viewer, "GET", "/api/v1/tasks"},
	{access.Viewer, "GET", "/api/v1/tasks/1"},
	{access.Viewer, "GET", "/api/v1/tasks/1/events"},
	{access.Viewer, "GET", "/api/v1/incoming"},
	{access.Viewer, "GET", "/api/v1/uploads"},
	{access.Operator, "POST", "/patches/x/activate"},
	{access.Operator, "POST", "/patches/x/rollback"},
	{access.Operator, "POST", "/patches/x/verify"},
	{access.Operator, "POST", "/redeploy"},
	{access.Operator, "GET", "/space"},
	{access.Operator, "POST", "/gc"},
	{access.Operator, "POST", "/vars/x"},
	{access.Operator, "POST", "/vars/x/unset"},
	{access.Operator, "POST", "/restore-vars"},
	{access.Operator, "POST", "/api/v1/vars/restore"},
	{access.Operator, "PUT", "/api/v1/vars/x"},
	{access.Operator, "DELETE", "/api/v1/vars/x"},
	{access.Operator, "GET", "/api/v1/gc"},
	{access.Operator, "POST", "/api/v1/gc"},
	{access.Operator, "POST", "/incoming/x/import"},
	{access.Operator, "POST", "/incoming/x/discard"},
	{access.Operator, "POST", "/uploads/x/discard"},
	{access.Operator, "POST", "/tasks/1/cancel"},
	{access.Operator, "DELETE", "/api/v1/tasks/1"},
	{access.Operator, "POST", "/api/v1/patches/x/activate"},
	{access.Operator, "POST", "/api/v1/patches/x/rollback"},
	{access.Operator, "POST", "/api/v1/patches/x/verify"},
	{access.Operator, "POST", "/api/v1/redeploy"},
	{access.Operator, "POST", "/api/v1/incoming/x/import"},
	{access.Operator, "DELETE", "/api/v1/incoming/x"},
	{access.Operator, "POST", "/api/v1/uploads"},
	{access.Operator, "HEAD", "/api/v1/uploads/x"},
	{access.Operator, "PATCH", "/api/v1/uploads/x"},
	{access.Operator, "DELETE", "/api/v1/uploads/x"},
}

func TestRoles(t *testing.T) {
	r := newRig(t)
	for _, g := range guarded {
		denied := func(token string) bool {
			resp, _ := r.call(token, g.method, g.path, nil, tusHeaders...)
			return resp.StatusCode == 401 || resp.StatusCode == 403 || resp.StatusCode == 303 && resp.Header.Get("Location") != "/"
		}
		if !denied("") {
			t.Errorf("%s %s is open to everybody", g.method, g.path)
		}
		if got := denied(r.viewer); got != (g.role == access.Operator) {
			t.Errorf("%s %s: a viewer is denied: %t", g.method, g.path, got)
		}
		if resp, _ := r.call(r.operator, g.method, g.path, nil, tusHeaders...); resp.StatusCode == 401 || resp.StatusCode == 403 {
			t.Errorf("%s %s: an operator is denied", g.method, g.path)
		}
	}
	resp, _ := r.call("", "GET", "/history", nil)
	if resp.StatusCode != 303 || resp.Header.Get("Location") != "/login?next=%2Fhistory" {
		t.Errorf("a browser is sent to %q", resp.Header.Get("Location"))
	}
}

// TestAnonymous checks that without tokens everybody may look and nobody may
// change anything, and that this ends with the first token.
func TestAnonymous(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Anonymous = true })
	r.want(401, "", "GET", "/api/v1/site", nil)
	for _, name := range []string{"ada", "victor"} {
		if err := r.tokens.Remove(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	r.want(200, "", "GET", "/api/v1/site", nil)
	r.want(200, "", "GET", "/v2/", nil)
	for _, g := range guarded {
		if resp, _ := r.call("", g.method, g.path, nil, tusHeaders...); g.role == access.Operator && resp.StatusCode != 403 {
			t.Errorf("%s %s without tokens: %d", g.method, g.path, resp.StatusCode)
		}
	}
	strict := newRig(t)
	strict.tokens.Remove(t.Context(), "ada")
	strict.tokens.Remove(t.Context(), "victor")
	strict.want(401, "", "GET", "/api/v1/site", nil)
}

func TestForgery(t *testing.T) {
	r := newRig(t)
	v, csrf := r.signIn(r.operator)
	for _, form := range []url.Values{{}, {"csrf": {""}}, {"csrf": {csrf + "x"}}} {
		if status, text := v.post("/redeploy", form); status != 403 || !strings.Contains(text, "too old") {
			t.Errorf("a form with %v: %d %s", form, status, text)
		}
	}
	if status, _ := v.post("/redeploy", url.Values{"csrf": {csrf}}); status != 409 { // no patch is active
		t.Errorf("the right form: %d", status)
	}
	if status, _ := v.post("/redeploy?csrf="+csrf, nil); status != 403 {
		t.Errorf("a token in the address: %d", status)
	}
	for _, header := range [][]string{{"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "null"}} {
		r.want(403, r.operator, "POST", "/api/v1/redeploy", nil, header...)
	}
	r.want(409, r.operator, "POST", "/api/v1/redeploy", nil, "Origin", r.http.URL)
	for host, status := range map[string]int{
		"evil.example": 421, "127.0.0.1:1": 200, "localhost": 200, "LOCALHOST:80": 200, "[::1]:80": 200, "192.0.2.7": 200, "": 400, "127.0.0.1.evil.example": 421,
	} {
		if host != "" {
			r.want(status, r.operator, "GET", "/api/v1/site", nil, "Host", host)
		}
	}
	named := newRig(t, func(o *Options) { o.Hosts = []string{"Plant.example"} })
	named.want(200, named.operator, "GET", "/api/v1/site", nil, "Host", "plant.example:8080")
}

func TestSessions(t *testing.T) {
	r := newRig(t)
	v, csrf := r.signIn(r.operator)
	for _, c := range v.client.Jar.Cookies(mustParse(r.http.URL)) {
		if c.Name != cookieName {
			t.Errorf("a cookie %q", c.Name)
		}
	}
	resp, _ := r.call("", "POST", "/login", []byte("token="+r.viewer+"&next=https://evil.example"), "Content-Type", "application/x-www-form-urlencoded")
	c := resp.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Secure || resp.Header.Get("Location") != "/" {
		t.Errorf("cookie %+v, then %s", c, resp.Header.Get("Location"))
	}
	now := time.Now()
	r.server.sessions.now = func() time.Time { return now.Add(idleLimit + time.Second) }
	if _, text := v.get("/"); !strings.Contains(text, "Sign in") {
		t.Error("an idle session does not end")
	}
	r.server.sessions.now = time.Now
	if status, _ := v.post("/redeploy", url.Values{"csrf": {csrf}}); status != 200 { // the page to sign in
		t.Errorf("a form of a session that has ended: %d", status)
	}
	v, _ = r.signIn(r.operator)
	if err := r.tokens.Remove(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	if _, text := v.get("/"); !strings.Contains(text, "Sign in") {
		t.Error("a session outlives its token")
	}
	secure := newRig(t, func(o *Options) { o.Secure = true })
	resp, _ = secure.call("", "POST", "/login", []byte("token="+secure.viewer), "Content-Type", "application/x-www-form-urlencoded")
	if c := resp.Cookies()[0]; !c.Secure || c.Name != secureCookieName || c.Path != "/" || c.Domain != "" {
		t.Errorf("over TLS the cookie is %+v", c)
	}
}

func mustParse(text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil {
		panic(err)
	}
	return u
}

func TestThrottle(t *testing.T) {
	r := newRig(t)
	now := time.Now()
	r.server.throttle.now = func() time.Time { return now }
	for range freeFailures {
		r.want(401, "wrong", "GET", "/api/v1/site", nil)
	}
	resp, _ := r.call(r.operator, "GET", "/api/v1/site", nil)
	if resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "1" {
		t.Errorf("after %d wrong tokens: %d, %q", freeFailures, resp.StatusCode, resp.Header.Get("Retry-After"))
	}
	if status, text := r.visitor().post("/login", url.Values{"token": {r.operator}}); status != 429 || !strings.Contains(text, "Wait a moment") {
		t.Errorf("sign in: %d", status)
	}
	now = now.Add(2 * time.Second)
	r.want(401, "wrong", "GET", "/api/v1/site", nil)
	resp, _ = r.call("wrong", "GET", "/api/v1/site", nil)
	if resp.Header.Get("Retry-After") != "2" {
		t.Errorf("the next wait is %s", resp.Header.Get("Retry-After"))
	}
	now = now.Add(2 * time.Second)
	r.want(200, r.operator, "GET", "/api/v1/site", nil)
	r.want(401, "wrong", "GET", "/api/v1/site", nil) // and begins anew

	th := newThrottle()
	for n := range maxSources + 10 {
		req := httptest.NewRequest("GET", "/", nil)
		req.RemoteAddr = "10." + strconv.Itoa(n>>16) + "." + strconv.Itoa(n>>8&255) + "." + strconv.Itoa(n&255) + ":1"
		th.failed(sourceOf(req))
	}
	if len(th.sources) > maxSources {
		t.Errorf("%d sources are remembered", len(th.sources))
	}
}

// TestUnreadableTokens checks that a server that cannot tell who asks lets nobody
// in, and gives nothing away.
func TestUnreadableTokens(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Anonymous = true })
	v, _ := r.signIn(r.operator)
	if err := os.WriteFile(filepath.Join(r.site.Dir(), "tokens"), []byte("damaged\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{"", r.operator} {
		if text := r.want(500, token, "GET", "/api/v1/site", nil); strings.Contains(text, r.site.Dir()) {
			t.Errorf("the answer names files: %s", text)
		}
	}
	for _, path := range []string{"/", "/history"} {
		if status, text := v.get(path); status != 500 || strings.Contains(text, r.site.Dir()) {
			t.Errorf("a session gets %d: %s", status, text)
		}
	}
	if status, _ := v.post("/login", url.Values{"token": {r.operator}}); status != 500 {
		t.Errorf("sign in: %d", status)
	}
}

func TestHeaders(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{"/", "/login", "/static/app.js", "/api/v1/site", "/nothing"} {
		resp, _ := r.call(r.viewer, "GET", path, nil)
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
		} {
			if got := resp.Header.Get(name); !strings.HasPrefix(got, want) {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
	}
}

func TestLocalPath(t *testing.T) {
	for next, want := range map[string]string{
		"/history": "/history", "/patches/a%20b": "/patches/a%20b", "": "/", "history": "/", "//evil.example": "/", "/\\evil.example": "/",
		"https://evil.example/": "/", "javascript:alert(1)": "/", "/\tx": "/", "/a?b=c": "/a",
	} {
		if got := localPath(next); got != want {
			t.Errorf("%q leads to %q, not %q", next, got, want)
		}
	}
}
