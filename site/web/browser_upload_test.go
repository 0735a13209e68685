package web

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// signedIn gives a browser on the overview.
func (r *rig) signedIn(token string) *browser {
	r.t.Helper()
	b := newBrowser(r.t, r.http.URL)
	b.open("/login")
	b.run("sign in", chromedp.SendKeys("#token", token+"\r", chromedp.ByQuery))
	b.wants("Sign out")
	return b
}

// TestBrowserResumes pauses an upload, breaks the line, closes the page, and
// chooses the file again.
func TestBrowserResumes(t *testing.T) {
	r := newRig(t)
	b := r.signedIn(r.operator)
	const size = 24 << 20
	content := make([]byte, size)
	rand.NewChaCha8([32]byte{}).Read(content)
	file := filepath.Join(t.TempDir(), "large.floto-patch.zip")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	r.pace.Store(int64(5 * time.Millisecond)) // a slow line
	b.run("choose a file", chromedp.SetUploadFiles("#upload-file", []string{file}, chromedp.ByQuery))
	r.waitOffset(1 << 20)
	b.press("Pause")
	b.wants("paused")
	b.shoot("upload")
	paused := r.waitOffset(1)
	b.press("Go on")
	r.waitOffset(paused + 1)
	r.down.Store(true)
	go r.http.CloseClientConnections() // it waits for what is under way
	b.wants("next attempt in")
	r.down.Store(false)
	r.waitOffset(paused + 2<<20)
	b.press("Pause")
	b.wants("paused")
	b.open("/")
	b.wants("Uploads that wait")
	kept := r.waitOffset(1)
	r.pace.Store(0)
	b.run("choose it again", chromedp.SetUploadFiles("#upload-file", []string{file}, chromedp.ByQuery))
	b.wants("failed") // the import: it is no patch
	b.shoot("failed")
	got, err := os.ReadFile(filepath.Join(r.server.incoming.Dir(), "large.floto-patch.zip"))
	if err != nil || string(got) != string(content) {
		t.Errorf("after %d bytes were kept, %d arrived, or others: %v", kept, len(got), err)
	}
}

// waitOffset waits until the one upload has come so far.
func (r *rig) waitOffset(least int64) int64 {
	r.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		uploads, err := r.server.incoming.Uploads()
		if err != nil {
			r.t.Fatal(err)
		}
		if len(uploads) == 1 && uploads[0].Offset >= least {
			return uploads[0].Offset
		}
	}
	r.t.Fatalf("the upload does not come to %d", least)
	return 0
}

// TestBrowserDenied checks what a viewer and somebody unknown get to see.
func TestBrowserDenied(t *testing.T) {
	r, f := newRig(t), newFactory(t)
	id := mustImport(t, r.site, f.next("one"))
	b := r.signedIn(r.viewer)
	b.open("/patches/" + id)
	b.wants("Containers")
	var forms []string
	b.run("find forms", chromedp.Evaluate(`[...document.forms].map(f => f.getAttribute("action"))`, &forms))
	if strings.Join(forms, " ") != "/logout" {
		t.Errorf("a viewer is offered %q", forms)
	}
	b.run("try it nevertheless", chromedp.Evaluate(fmt.Sprintf(`fetch("/api/v1/patches/%s/activate", {method: "POST", headers: {"X-CSRF-Token": document.querySelector("meta[name=csrf]").content}}).then(r => window.answer = r.status)`, id), nil))
	b.until("gets no answer", "window.answer === 403")
	b.mu.Lock()
	b.seen = nil // the console tells of the status
	b.mu.Unlock()
	b.press("Sign out")
	b.wants("Token")
	b.open("/patches/" + id)
	b.wants("Token")
	b.quiet()
	if active, ok, _ := r.site.Active(); ok {
		t.Errorf("%q is active", active)
	}
}

// TestHostileNames checks that what a patch says of itself is shown, and not
// taken for HTML.
func TestHostileNames(t *testing.T) {
	r, f := newRig(t), newFactory(t)
	f.name = `"><img src=x onerror=alert(1)>`
	f.comment = "</p><script>document.title = 'x'</script>\u202egnp.exe"
	id := mustImport(t, r.site, f.next("<b>one</b>"))
	if err := r.site.Activate(t.Context(), id, `<script>x()</script>`); err != nil {
		t.Fatal(err)
	}
	next := mustImport(t, r.site, f.next("two"))
	b := r.signedIn(r.operator)
	for _, path := range []string{"/", "/patches/" + id, "/patches/" + next, "/history", "/nothing/" + url.PathEscape(f.name)} {
		b.open(path)
		var found int
		b.run("look for elements", chromedp.Evaluate(`document.querySelectorAll("img, script:not([src]), b").length`, &found))
		if found > 0 {
			t.Errorf("%s has elements from names", path)
		}
		var text string
		b.run("read", chromedp.Text("main", &text, chromedp.ByQuery))
		if strings.Contains(text, "\u202e") {
			t.Errorf("%s turns text round", path)
		}
	}
}
