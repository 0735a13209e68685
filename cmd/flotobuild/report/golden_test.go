package report

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/flotobuild/flotobuild/planner"
)

var update = flag.Bool("update", false, "rewrite golden files")

// styles are the same on every page, and are told apart by their own test.
var styles = regexp.MustCompile(`(?s)<style>.*</style>`)

const plans = "testdata/plans"

// TestPlans compares text, JSON and page of every situation with its golden
// file.
func TestPlans(t *testing.T) {
	if len(situations) < 25 {
		t.Fatalf("%d situations only", len(situations))
	}
	var want []string
	for _, s := range situations {
		name := filepath.Join(plans, s.name+".txtar")
		want = append(want, name)
		t.Run(s.name, func(t *testing.T) { compare(t, name, txtar.Format(told(t, s))) })
	}
	slices.Sort(want)
	have, err := filepath.Glob(filepath.Join(plans, "*"))
	if err != nil || !slices.Equal(have, want) {
		t.Errorf("%s has other files than there are situations: %v", plans, err)
	}
}

func told(t *testing.T, s situation) *txtar.Archive {
	t.Helper()
	p := s.plan()
	r := New(p, Options{Variables: s.vars})
	b, err := planner.Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	html, err := r.HTML()
	if err != nil {
		t.Fatal(err)
	}
	return &txtar.Archive{Files: []txtar.File{
		{Name: "plan.txt", Data: []byte(r.Text(TextOptions{}))},
		{Name: "concise.txt", Data: []byte(r.Text(TextOptions{Level: Concise}))},
		{Name: "detail.txt", Data: []byte(r.Text(TextOptions{Level: Detail}))},
		{Name: "terminal.txt", Data: []byte(r.Text(TextOptions{Width: 60}))},
		{Name: "plan.json", Data: b},
		{Name: "plan.html", Data: styles.ReplaceAll(html, []byte("<style>…</style>"))},
	}}
}

func compare(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatalf("%v: run make golden", err)
	}
	if string(want) == string(got) {
		return
	}
	w, g := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
	for n := range min(len(w), len(g)) {
		if w[n] != g[n] {
			t.Fatalf("%s:%d: got\n%s\nwant\n%s", name, n+1, g[n], w[n])
		}
	}
	t.Fatalf("%s has %d lines, and %d are told", name, len(w), len(g))
}
