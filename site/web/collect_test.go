package web

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/flotobuild/flotobuild/site"
)

// listed gives the ids of the site's patches.
func listed(r *rig) []string {
	r.t.Helper()
	all, err := r.site.List(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	var out []string
	for _, e := range all {
		out = append(out, e.ID)
	}
	return out
}

// TestCollect removes what was shown, and nothing that came meanwhile.
func TestCollect(t *testing.T) {
	r, f := newRig(t), newFactory(t)
	var ids []string
	for _, content := range []string{"1", "2", "3", "4", "5"} {
		ids = append(ids, mustImport(t, r.site, f.next(content)))
	}
	r.server.opts.InUse = func() ([]string, error) { return ids[1:2], nil }
	v, csrf := r.signIn(r.operator)
	if status, text := v.get("/space"); status != 200 || strings.Contains(text, "What would go") {
		t.Errorf("%d: %s", status, text)
	}
	status, text := v.get("/space?keep=2")
	if status != 200 || !strings.Contains(text, "Remove 2 patches") || !strings.Contains(text, ids[0]) || strings.Contains(text, ids[1]) {
		t.Errorf("%d: %s", status, text)
	}
	form := url.Values{"csrf": {csrf}, "keep": {"2"}}
	for _, m := range regexp.MustCompile(`name="patch" value="([^"]*)"`).FindAllStringSubmatch(text, -1) {
		form.Add("patch", m[1])
	}
	late := mustImport(t, r.site, f.next("6")) // so that ids[3] is none of the newest two any more
	if status, _ := v.post("/gc", url.Values{"keep": {"2"}}); status != 403 {
		t.Errorf("without the session's secret: %d", status)
	}
	if status, text := v.post("/gc", form); status != 200 || !strings.Contains(text, "Clean-up") {
		t.Errorf("%d: %s", status, text)
	}
	r.finish(`{"id":1}`)
	if got := listed(r); !slices.Equal(got, []string{late, ids[4], ids[3], ids[1]}) {
		t.Errorf("there are %q", got)
	}
	if _, text := v.get("/space?keep=4"); !strings.Contains(text, "Nothing: everything is still needed.") {
		t.Errorf("something is left: %s", text)
	}
}

func TestCollectByProgram(t *testing.T) {
	r, f := newRig(t), newFactory(t)
	old := mustImport(t, r.site, f.next("1"))
	for _, content := range []string{"2", "3", "4"} {
		mustImport(t, r.site, f.next(content))
	}
	for _, keep := range []string{"-1", "many", "99999999999999999999"} {
		r.want(400, r.operator, "GET", "/api/v1/gc?keep="+keep, nil)
		r.want(400, r.operator, "POST", "/api/v1/gc?keep="+keep, nil)
	}
	if text := r.want(200, r.operator, "GET", "/api/v1/gc", nil); !strings.Contains(text, old) || len(listed(r)) != 4 {
		t.Errorf("what would go: %s", text)
	}
	done := r.finish(r.want(202, r.operator, "POST", "/api/v1/gc", nil))
	if done.State != Done || len(listed(r)) != 3 {
		t.Errorf("%+v leaves %q", done, listed(r))
	}
	r.server.opts.InUse = func() ([]string, error) { return nil, errors.New("state is damaged") }
	if done := r.finish(r.want(202, r.operator, "POST", "/api/v1/gc?keep=0", nil)); done.State != Failed || len(listed(r)) != 3 {
		t.Errorf("%+v leaves %q", done, listed(r))
	}
	if events, err := r.site.History(); err != nil || events[len(events)-1].By != "ada" || events[len(events)-1].Action != site.ActionGC {
		t.Errorf("history %+v, %v", events, err)
	}
}
