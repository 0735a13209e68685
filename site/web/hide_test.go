package web

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flotobuild/flotobuild/site"
)

func TestHide(t *testing.T) {
	r := newRig(t)
	dir := r.site.Dir()
	for text, want := range map[string]string{
		"open " + dir + "/blobs/x: denied":        "open blobs/x: denied",
		fmt.Sprintf("cannot open %q", dir):        `cannot open "the store"`,
		"in " + dir:                               "in the store",
		dir + "-2/x, " + dir + "2, " + dir + "ä/": dir + "-2/x, " + dir + "2, " + dir + "ä/",
		dir + "/a and " + dir + "/b":              "a and b",
		"nothing":                                 "nothing",
	} {
		if got := r.server.hide(text); got != want {
			t.Errorf("%q becomes %q, and not %q", text, got, want)
		}
	}
}

// TestHidden looks for the way to the store in whatever the server answers when
// the store is damaged.
func TestHidden(t *testing.T) {
	r, f := newRig(t), newFactory(t)
	id := mustImport(t, r.site, f.next("one"))
	v, _ := r.signIn(r.operator)
	record := filepath.Join(r.site.Dir(), "patches", id, "import.json")
	if err := os.WriteFile(record, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := r.site.Record(site.Event{Action: "redeploy", Error: "cannot write " + record}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/history", "/patches/" + id, "/space"} {
		if _, text := v.get(path); strings.Contains(text, r.site.Dir()) || !strings.Contains(text, id) {
			t.Errorf("%s: %s", path, text)
		}
	}
	for _, path := range []string{"/api/v1/patches", "/api/v1/history", "/api/v1/gc"} {
		if _, text := r.call(r.operator, "GET", path, nil); strings.Contains(text, r.site.Dir()) {
			t.Errorf("%s: %s", path, text)
		}
	}
}

type hinted struct{ error }

func (hinted) Hint() string { return "remove that container" }

// TestHint: tasks that fail tell no way to the store, and what to do.
func TestHint(t *testing.T) {
	r, f := newRig(t), newFactory(t)
	id := mustImport(t, r.site, f.next("one"))
	if err := r.site.Activate(t.Context(), id, "test"); err != nil {
		t.Fatal(err)
	}
	r.deployer.proceed <- hinted{errors.New("cannot use " + r.site.Dir() + "/deploy")}
	failed := r.finish(r.want(202, r.operator, "POST", "/api/v1/redeploy", nil))
	if failed.Error != "cannot use deploy" || failed.Hint != "remove that container" || failed.BadValues {
		t.Errorf("%+v", failed)
	}
	v, _ := r.signIn(r.operator)
	if _, text := v.get("/tasks/1"); strings.Contains(text, r.site.Dir()) || !strings.Contains(text, "What to do: remove that container.") {
		t.Error(text)
	}
}
