package report

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	_ "image/png" // screenshots
	"net/http"
	"net/http/httptest"
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
)

// screenshots names a folder to keep screenshots in, for people to look at.
const screenshots = "FLOTOBUILD_TEST_SCREENSHOTS"

// A looks is how a page is looked at.
type looks struct {
	name          string
	width, height int64
	scheme        string
	media         string
}

var allLooks = []looks{
	{"desktop-light", 1280, 900, "light", "screen"},
	{"desktop-dark", 1280, 900, "dark", "screen"},
	{"phone-light", 360, 740, "light", "screen"},
	{"phone-dark", 360, 740, "dark", "screen"},
	{"print", 794, 1123, "light", "print"},
}

// openedPages are the situations whose pages are opened, and whether with
// hostile names everywhere.
var openedPages = map[string]bool{
	"no_change": false, "initial_source": false, "hundreds_of_files": false, "many_sites_exact": false, "exact_initial": false,
	"hostile_names": true, "exact": true, "policy_size_violated": true, "version_by_lock": true, "several_parents": true,
}

// TestPageInBrowser opens pages in a real browser, which may load nothing else.
func TestPageInBrowser(t *testing.T) {
	b := newBrowser(t)
	canary := newCanary(t)
	for _, s := range situations {
		infest, opened := openedPages[s.name]
		if !opened {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			r := New(s.plan(), Options{Variables: s.vars})
			if infest {
				canary.infest(r)
			}
			page, err := r.HTML()
			if err != nil {
				t.Fatal(err)
			}
			b.open(t, s.name, page)
		})
	}
	canary.check(t)
}

// TestBrowserSeesRequests makes sure that the test above could fail.
func TestBrowserSeesRequests(t *testing.T) {
	b := newBrowser(t)
	canary := newCanary(t)
	file := filepath.Join(t.TempDir(), "page.html")
	page := fmt.Sprintf("<!DOCTYPE html><title>x</title><img src=%q><script>console.error('x'); oops()</script>", canary.url)
	if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
	if seen := b.visit(t, file, nil); len(seen) < 3 {
		t.Errorf("of a request, a console error and an exception, the test saw only %q", seen)
	}
	if canary.requests() == 0 {
		t.Error("the listener got no request")
	}
}

// A browser is a running chromium.
type browser struct{ ctx context.Context }

func newBrowser(t *testing.T) *browser {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		const message = "no chromium in PATH to open the page with; Debian: apt-get install chromium"
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
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("cannot start %s: %v", path, err)
	}
	return &browser{ctx}
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

// visit opens a file and lists what should not happen: requests,
// messages in the console, exceptions.
func (b *browser) visit(t *testing.T, file string, do func(ctx context.Context)) []string {
	t.Helper()
	ctx, cancel := context.WithCancel(b.ctx) // ends the listening
	defer cancel()
	var mu sync.Mutex
	var seen []string
	note := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, fmt.Sprintf(format, args...))
	}
	url := "file://" + file
	chromedp.ListenTarget(ctx, func(event any) {
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			if e.Request.URL != url && !strings.HasPrefix(e.Request.URL, "data:") {
				note("request for %s", e.Request.URL)
			}
		case *log.EventEntryAdded:
			note("%s in the console: %s", e.Entry.Level, e.Entry.Text)
		case *runtime.EventConsoleAPICalled:
			note("%s in the console", e.Type)
		case *runtime.EventExceptionThrown:
			note("exception: %v", e.ExceptionDetails)
		}
	})
	if err := chromedp.Run(ctx, network.Enable(), log.Enable(), runtime.Enable(), chromedp.Navigate(url), chromedp.Sleep(100*time.Millisecond)); err != nil {
		t.Fatalf("cannot open %s: %v", file, err)
	}
	if do != nil {
		do(ctx)
	}
	mu.Lock()
	defer mu.Unlock()
	return seen
}

func (b *browser) open(t *testing.T, name string, page []byte) {
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, page, 0o644); err != nil {
		t.Fatal(err)
	}
	backgrounds := make(map[string]string)
	seen := b.visit(t, file, func(ctx context.Context) {
		for _, l := range allLooks {
			m := look(ctx, t, name, l)
			backgrounds[l.name] = m.Background
			m.check(t, l)
		}
	})
	for _, s := range seen {
		t.Error(s)
	}
	if backgrounds["desktop-light"] == backgrounds["desktop-dark"] {
		t.Errorf("light and dark have the same background %s", backgrounds["desktop-dark"])
	}
}

// measured is what the browser says of a page.
type measured struct {
	Title, Text, Background string
	Width, Client           int
	Elements                []string // that must not be on a page
	Closed                  int      // parts of closed details that can be seen
	Pale                    []string // texts without contrast
}

// measure computes contrast as WCAG 2 does.
const measure = `(() => {
	const parse = c => c.match(/[\d.]+/g).slice(0, 3).map(Number);
	const light = c => { const [r, g, b] = parse(c).map(v => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4 }); return .2126 * r + .7152 * g + .0722 * b };
	const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (c !== 'rgba(0, 0, 0, 0)') return c } return 'rgb(255, 255, 255)' };
	const pale = new Set();
	for (const e of document.querySelectorAll('body *')) {
		if (e.closest('svg') || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
		const a = light(getComputedStyle(e).color), b = light(behind(e));
		if ((Math.max(a, b) + .05) / (Math.min(a, b) + .05) < 4.5) pale.add(e.tagName + '.' + e.className);
	}
	const root = document.documentElement;
	return JSON.stringify({
		Title: document.title, Text: document.body.innerText, Background: getComputedStyle(document.body).backgroundColor,
		Width: root.scrollWidth, Client: root.clientWidth,
		Elements: [...document.querySelectorAll('script, img, iframe, object, embed, audio, video, b, a, form')].map(e => e.outerHTML),
		Closed: [...document.querySelectorAll('details:not([open]) > p')].filter(e => e.checkVisibility({contentVisibilityAuto: true, visibilityProperty: true}) && e.getBoundingClientRect().height > 0).length,
		Pale: [...pale],
	})
})()`

// look measures a page with all details open, except for print, and keeps a
// screenshot.
func look(ctx context.Context, t *testing.T, name string, l looks) measured {
	t.Helper()
	var text string
	var shot []byte
	err := chromedp.Run(ctx,
		emulation.SetDeviceMetricsOverride(l.width, l.height, 1, l.width < 500),
		emulation.SetEmulatedMedia().WithMedia(l.media).WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}}),
		chromedp.Evaluate(fmt.Sprintf(`document.querySelectorAll('details').forEach(d => d.open = %t)`, l.media != "print"), nil),
		chromedp.Evaluate(measure, &text),
		chromedp.FullScreenshot(&shot, 100),
	)
	if err != nil {
		t.Fatalf("%s: %v", l.name, err)
	}
	var m measured
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	notBlank(t, l, shot)
	if dir := os.Getenv(screenshots); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+"-"+l.name+".png"), shot, 0o644); err != nil {
			t.Error(err)
		}
	}
	return m
}

func (m measured) check(t *testing.T, l looks) {
	t.Helper()
	if !strings.HasPrefix(m.Title, "Plan: ") && m.Title != "No changes" {
		t.Errorf("%s: the title is %q", l.name, m.Title)
	}
	if !strings.Contains(m.Text, "Sizes are in decimal units") {
		t.Errorf("%s: the page has not been read to its end: %q", l.name, m.Text)
	}
	if m.Width > m.Client {
		t.Errorf("%s: the page is %d pixels wide, and %d can be seen", l.name, m.Width, m.Client)
	}
	if len(m.Elements) > 0 {
		t.Errorf("%s: the page has elements of hostile names: %q", l.name, m.Elements)
	}
	if len(m.Pale) > 0 {
		t.Errorf("%s: too little contrast in %q", l.name, m.Pale)
	}
	if l.media == "print" && strings.Contains(m.Text, "incremental") && m.Closed == 0 {
		t.Errorf("%s: closed details are not printed", l.name)
	}
}

// notBlank refuses a picture of one colour.
func notBlank(t *testing.T, l looks, shot []byte) {
	t.Helper()
	img, _, err := image.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatalf("%s: %v", l.name, err)
	}
	first := img.At(0, 0)
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			if img.At(x, y) != first {
				return
			}
		}
	}
	t.Errorf("%s: the page is blank", l.name)
}

// A canary listens for requests that hostile names ask for.
type canary struct {
	url string
	mu  sync.Mutex
	got []string
}

func newCanary(t *testing.T) *canary {
	c := new(canary)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.got = append(c.got, r.URL.String())
	}))
	t.Cleanup(s.Close)
	c.url = s.URL + "/"
	return c
}

func (c *canary) requests() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.got)
}

func (c *canary) check(t *testing.T) {
	t.Helper()
	if c.requests() > 0 {
		t.Errorf("the page made requests: %q", c.got)
	}
}

// infest puts names into a report that would load something if they were not
// escaped.
func (c *canary) infest(r *Report) {
	img := fmt.Sprintf(`"><img src=%s><link rel=stylesheet href=%s><b>`, c.url, c.url)
	style := fmt.Sprintf(`</style></svg></title><style>@import url(%s);*{background:url(%s)}</style>`, c.url, c.url)
	r.Revision += img
	r.Warnings = append(r.Warnings, style)
	r.Variables = append(r.Variables, Variable{img, style, img})
	r.Lock = append(r.Lock, Entry{"create", img + style})
	for n := range r.Images {
		r.Images[n].Address += img
		r.Images[n].Why = append(r.Images[n].Why, style)
	}
	for _, s := range r.Sites {
		for n := range s.Members {
			s.Members[n].Name += img
			s.Members[n].Output += style
			s.Members[n].Patch += strings.Repeat("long", 100)
		}
		s.Policy = append(s.Policy, Policy{img, "violated", style})
		for _, i := range s.Images {
			i.Name += img
			for n := range i.Layers {
				i.Layers[n].Text += style
				i.Layers[n].Why += img
			}
		}
	}
}
