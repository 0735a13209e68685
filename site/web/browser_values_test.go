package web

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestBrowserValues activates a patch that wants values, from the refusal on.
func TestBrowserValues(t *testing.T) {
	r, f, id := withVariables(t)
	b := r.signedIn(r.operator)
	b.open("/patches/" + id)
	b.wants("The site has no value of pin, plc")
	b.shoot("patch-values")
	b.press("Activate")
	b.wants("the site has no values of 2 variables that it needs")
	b.wants("What to do: set 2 missing values")
	b.shoot("values-refused")
	b.press("To the values")
	b.wants("Address of the PLC.")
	b.shoot("values-missing")
	b.run("type an address", chromedp.SendKeys("#value-plc", "10.0.0.7"+kb.Enter, chromedp.ByQuery))
	b.wants("The value of plc was changed")
	b.run("type a secret", chromedp.SendKeys("#value-pin", secret+kb.Enter, chromedp.ByQuery))
	b.wants("The value of pin was changed")
	b.run("type nonsense", chromedp.SendKeys("#value-port", "many"+kb.Enter, chromedp.ByQuery))
	b.wants("it does not fit the type number")
	b.shoot("values-wrong")
	b.mu.Lock()
	b.seen = nil // the console tells of the status
	b.mu.Unlock()
	b.open("/vars")
	b.wants("Opens the gate.")
	var shown string
	b.run("read the page", chromedp.OuterHTML("html", &shown, chromedp.ByQuery))
	if strings.Contains(shown, secret) || !strings.Contains(shown, "10.0.0.7") {
		t.Errorf("the page has %s", shown)
	}
	b.shoot("values-set")
	b.open("/patches/" + id)
	b.press("Activate")
	b.wants("is active; the containers stay as they are")
	b.open("/vars")
	b.run("type another address", chromedp.SetValue("#value-plc", "10.0.0.8", chromedp.ByQuery), chromedp.Submit("#value-plc", chromedp.ByQuery))
	b.wants("The active patch was activated with other values than these")
	b.shoot("values-changed")
	b.press("Take these changes back")
	b.until("still has the changed value", `document.getElementById("value-plc")?.value === "10.0.0.7"`)
	b.run("type it again", chromedp.SetValue("#value-plc", "10.0.0.8", chromedp.ByQuery), chromedp.Submit("#value-plc", chromedp.ByQuery))
	b.wants("The active patch was activated with other values than these")
	b.key("Activate it with these")
	b.wants("is active")
	b.press("To the patch")
	b.wants("Back to the values of before")
	b.shoot("values-before")
	b.press("Back to the values of before")
	b.wants("is active again")
	b.open("/vars")
	b.wants("The active patch was activated with other values than these")
	b.quiet()

	f.variables = false
	mustImport(t, r.site, f.next("two"))
	onlooker := r.signedIn(r.viewer)
	onlooker.open("/vars")
	onlooker.wants("only operators see them")
	onlooker.shoot("values-viewer")
	onlooker.quiet()
}

// TestBrowserSpace removes old patches, and shows a redeployment that fails with
// what can be done about it.
func TestBrowserSpace(t *testing.T) {
	r, f := newRig(t), newFactory(t)
	for _, content := range []string{"1", "2", "3", "4", "5"} {
		mustImport(t, r.site, f.next(content))
	}
	ids := listed(r)
	if err := r.site.Activate(t.Context(), ids[0], "test"); err != nil {
		t.Fatal(err)
	}
	b := r.signedIn(r.operator)
	b.open("/")
	b.press("Space")
	b.wants("5 patches with")
	b.shoot("space")
	b.run("keep two", chromedp.SetValue("#keep", "2", chromedp.ByQuery))
	b.key("Show what would go")
	b.wants("plant 1.2.0")
	b.shoot("space-shown")
	if got := listed(r); len(got) != 5 {
		t.Errorf("it is gone before anybody said so: %q", got)
	}
	b.press("Remove 3 patches")
	b.wants("removed 3 patches")
	b.shoot("space-done")
	if got := listed(r); !slices.Equal(got, ids[:2]) {
		t.Errorf("there are %q", got)
	}
	b.open("/space?keep=2")
	b.wants("Nothing: everything is still needed.")
	b.shoot("space-nothing")

	r.deployer.proceed <- hinted{errors.New(`container "web" of the Compose project "shop" belongs to site "altona"`)}
	b.open("/")
	b.press("Redeploy")
	b.wants("What to do: remove that container.")
	b.shoot("hint")
	b.quiet()
}
