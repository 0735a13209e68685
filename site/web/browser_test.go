package web

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// screenshots names a folder to keep screenshots in, for people to look at.
const screenshots = "FLOTOBUILD_TEST_SCREENSHOTS"

// looks are how pages are looked at.
var looks = []struct {
	name          string
	width, height int64
	scheme        string
}{
	{"desktop-light", 1280, 900, "light"},
	{"desktop-dark", 1280, 900, "dark"},
	{"phone-light", 390, 844, "light"},
	{"phone-dark", 390, 844, "dark"},
}

// A browser is a running chromium with one page.
type browser struct {
	t   *testing.T
	ctx context.Context
	url string

	mu   sync.Mutex
	seen []string // what should not happen
}

func newBrowser(t *testing.T, url string) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		const message = "no chromium in PATH to open the pages with; Debian: apt-get install chromium"
		if os.Getenv("CI") != "" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(profileDir(t)), chromedp.WSURLReadTimeout(time.Minute),
		// What runs here is made by the test itself, and as root there is no sandbox.
		chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithErrorf(t.Logf))
	t.Cleanup(cancel)
	b := &browser{t: t, ctx: ctx, url: url}
	chromedp.ListenTarget(ctx, b.listen)
	if err := chromedp.Run(ctx, network.Enable(), log.Enable(), runtime.Enable()); err != nil {
		t.Fatalf("cannot start %s: %v", path, err)
	}
	return b
}

// profileDir is a folder for a browser, some processes of which write into it
// for a moment after the browser has ended.
func profileDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "flotobuild-browser-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 100 {
			if err = os.RemoveAll(dir); err == nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Errorf("the browser still writes its profile: %v", err)
	})
	return dir
}

// listen notes requests to others, messages in the console and exceptions.
func (b *browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, b.url) && !strings.HasPrefix(e.Request.URL, "data:") {
			b.seen = append(b.seen, "request for "+e.Request.URL)
		}
	case *log.EventEntryAdded:
		b.seen = append(b.seen, fmt.Sprintf("%s in the console: %s %s", e.Entry.Level, e.Entry.Text, e.Entry.URL))
	case *runtime.EventConsoleAPICalled:
		b.seen = append(b.seen, fmt.Sprintf("%s in the console", e.Type))
	case *runtime.EventExceptionThrown:
		b.seen = append(b.seen, fmt.Sprintf("exception: %v", e.ExceptionDetails))
	}
}

// quiet fails where something happened that should not.
func (b *browser) quiet() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.seen {
		b.t.Error(s)
	}
	b.seen = nil
}

func (b *browser) run(what string, actions ...chromedp.Action) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}

func (b *browser) open(path string) { b.run("open "+path, chromedp.Navigate(b.url+path)) }

// wants waits until the page, or the one that follows it, has a text.
func (b *browser) wants(text string) {
	b.until("has no "+text, fmt.Sprintf("document.body.innerText.includes(%q)", text))
}

// until waits until an expression is true, whatever pages come meanwhile.
func (b *browser) until(otherwise, expression string) {
	b.t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		var ok bool
		if err := chromedp.Run(b.ctx, chromedp.Evaluate(expression, &ok)); err == nil && ok {
			return
		}
	}
	var text string
	_ = chromedp.Run(b.ctx, chromedp.Evaluate("document.body.innerText", &text)) // for the message alone
	b.t.Fatalf("the page %s:\n%s", otherwise, text)
}

// press clicks a button or link of that text.
func (b *browser) press(text string) {
	b.t.Helper()
	b.run(fmt.Sprintf("press %q", text), chromedp.Click(fmt.Sprintf(`//*[self::button or self::a][normalize-space()=%q]`, text), chromedp.BySearch))
}

// key reaches a button by the keyboard alone, and presses it.
func (b *browser) key(text string) {
	b.t.Helper()
	b.run("focus the page", chromedp.Evaluate("document.activeElement.blur()", nil))
	for range 30 {
		var now string
		b.run("press Tab", chromedp.KeyEvent(kb.Tab), chromedp.Evaluate("document.activeElement.innerText || ''", &now))
		if now == text {
			b.run("press Enter", chromedp.KeyEvent(kb.Enter))
			return
		}
	}
	b.t.Fatalf("the keyboard does not reach %q", text)
}

// shoot looks at the page in all ways and keeps screenshots.
func (b *browser) shoot(name string) {
	b.t.Helper()
	b.until("is not complete", `document.readyState === "complete"`) // its text comes before its style
	for _, l := range looks {
		var m measured
		b.run("look at "+name,
			emulation.SetDeviceMetricsOverride(l.width, l.height, 1, l.width < 500),
			emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}}),
			chromedp.Evaluate(measure, &m))
		m.check(b.t, name+" "+l.name)
		if dir := os.Getenv(screenshots); dir != "" {
			var shot []byte
			b.run("take a picture of "+name, chromedp.FullScreenshot(&shot, 100))
			if err := os.WriteFile(filepath.Join(dir, name+"-"+l.name+".png"), shot, 0o644); err != nil {
				b.t.Error(err)
			}
		}
	}
	b.run("back to the desk", emulation.SetDeviceMetricsOverride(1280, 900, 1, false))
}

// measured is what the browser says of a page.
type measured struct {
	Title, Lang   string
	Width, Client int
	Nameless      []string // controls without a name
	Pale          []string // texts without contrast
	Headings      string   // levels, in order
	Doubled       []string // ids that stand twice
	Small         []string // controls that are hard to hit
}

// measure computes contrast as WCAG 2 does.
const measure = `(() => {
	const parse = c => c.match(/[\d.]+/g).slice(0, 3).map(Number);
	const light = c => { const [r, g, b] = parse(c).map(v => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4 }); return .2126 * r + .7152 * g + .0722 * b };
	const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (c !== 'rgba(0, 0, 0, 0)') return c } return 'rgb(255, 255, 255)' };
	const seen = e => e.checkVisibility({visibilityProperty: true}) && e.getBoundingClientRect().width > 1;
	const pale = new Set(), nameless = [], small = [], ids = [...document.querySelectorAll('[id]')].map(e => e.id);
	for (const e of document.querySelectorAll('body *')) {
		if (!seen(e) || e.disabled || e.closest('svg') || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
		const a = light(getComputedStyle(e).color), b = light(behind(e));
		if ((Math.max(a, b) + .05) / (Math.min(a, b) + .05) < 4.5) pale.add(e.tagName + '.' + e.className);
	}
	for (const e of document.querySelectorAll('a, button, input:not([type=hidden]), textarea, progress, summary, [role=log]')) {
		if (!seen(e) || e.className === 'skip') continue;
		const labels = [...(e.labels || [])].map(l => l.innerText).join(''), by = e.getAttribute('aria-labelledby');
		if (!(e.innerText || e.getAttribute('aria-label') || labels || by && document.getElementById(by)).toString().trim()) nameless.push(e.outerHTML);
		if (e.matches('button, .button') && e.getBoundingClientRect().height < 24) small.push(e.outerHTML);
	}
	const root = document.documentElement;
	return {
		Title: document.title, Lang: root.lang, Width: root.scrollWidth, Client: root.clientWidth, Nameless: nameless, Small: small, Pale: [...pale],
		Headings: [...document.querySelectorAll('h1, h2, h3')].filter(seen).map(e => e.tagName[1]).join(''),
		Doubled: ids.filter((id, n) => ids.indexOf(id) !== n),
	};
})()`

func (m measured) check(t *testing.T, name string) {
	t.Helper()
	if !strings.HasSuffix(m.Title, " · hamburg") || m.Lang != "en" {
		t.Errorf("%s: title %q, language %q", name, m.Title, m.Lang)
	}
	if m.Width > m.Client {
		t.Errorf("%s: it is %d px wide in a window of %d", name, m.Width, m.Client)
	}
	if strings.Count(m.Headings, "1") != 1 || strings.Contains(m.Headings, "13") {
		t.Errorf("%s: headings of levels %s", name, m.Headings)
	}
	for what, list := range map[string][]string{"no name": m.Nameless, "no contrast": m.Pale, "a double id": m.Doubled, "no size": m.Small} {
		if len(list) > 0 {
			t.Errorf("%s: %s: %s", name, what, strings.Join(list, "; "))
		}
	}
}

// TestBrowser takes a site from its first patch to a rollback, with a browser.
func TestBrowser(t *testing.T) {
	r, f := newRig(t), newFactory(t)
	b := newBrowser(t, r.http.URL)
	b.open("/history")
	b.wants("Sign in")
	b.shoot("login")
	b.run("type a wrong token", chromedp.SendKeys("#token", "wrong"+kb.Enter, chromedp.ByQuery))
	b.wants("This is no token of this site")
	b.mu.Lock()
	b.seen = nil // the console tells of the status
	b.mu.Unlock()
	b.run("type a token", chromedp.SendKeys("#token", r.operator+kb.Enter, chromedp.ByQuery))
	b.wants("History")
	b.shoot("history-new")
	b.press("Overview")
	b.wants("No patch is active")
	b.shoot("empty")

	first, second := f.next("one"), f.next("two")
	b.run("choose a file", chromedp.SetUploadFiles("#upload-file", []string{first}, chromedp.ByQuery))
	b.wants("that the site did not have; it is not active")
	b.wants("done")
	b.shoot("imported")
	b.press("See what it changes")
	b.wants("Check again")
	b.shoot("patch-first")
	b.press("Activate")
	b.wants("is active; the containers stay as they are")
	b.press("Redeploy")
	b.wants("pulling images for ada")
	b.shoot("running")
	b.press("Overview")
	b.wants("begun by ada")
	b.shoot("overview-running")
	r.deployer.proceed <- nil
	b.until("does not notice the end", "!document.getElementById('running')")
	b.quiet()

	r.upload(second)
	b.open("/")
	b.wants("Arrived, and not imported")
	r.beginUpload("2026-04-01-plant.hamburg.floto-patch.zip", 1<<20)
	b.open("/")
	b.shoot("overview")
	b.press("Import")
	b.wants("that the site did not have")
	b.press("See what it changes")
	b.wants("1 image changed")
	b.shoot("patch")
	b.key("Activate")
	b.wants("is active; the containers stay as they are")
	b.press("Overview")
	b.wants("Back to 1.0.0")
	b.shoot("overview-two")
	b.press("Back to 1.0.0 …")
	b.wants("What going back changes")
	b.shoot("back")
	b.press("Roll back to this patch")
	b.wants("is active again")
	b.press("Overview")
	b.wants("Active since")
	b.press("History")
	b.wants("rollback")
	b.shoot("history")
	if id, _, err := r.site.Active(); err != nil || !strings.Contains(id, "plant-1.0.0") {
		t.Errorf("%q is active: %v", id, err)
	}
	b.press("Sign out")
	b.wants("Sign in")
	b.quiet()
}
