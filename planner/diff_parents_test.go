package planner

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
)

func TestDiffSeveralParents(t *testing.T) {
	for _, c := range []struct {
		name   string
		have   []string
		want   string
		modify change
		change string // of the site
		lacks  string // parent by parent
	}{
		{"all have all", []string{"a: app=1 | x=1", "a: app=1 | x=1"}, "a: app=1 | x=1", nil, "none", "-; -"},
		{"second lacks an image", []string{"a: app=1", "a:"}, "a: app=1", nil, "update", "-; images[app]"},
		{"both are older, each in its way", []string{"a: app=1 web=0", "a: app=0 web=1"}, "a: app=1 web=1", nil, "update", "images[web]; images[app]"},
		{"second has other conf", []string{"a: | x=1", "a: | x=0 y=1"}, "a: | x=1", nil, "update", "-; conf 2"},
		{"second has another document", []string{"a: | | documents/d=1", "a: | | documents/d=0"}, "a: | | documents/d=1", nil, "update", "-; manifest 1"},
		{"second has an image too many", []string{"a: app=1", "a: app=1 old=1"}, "a: app=1", nil, "update", "-; removed[old]"},
		{"second has another version", []string{"a:", "a:"}, "a:", func(_ *Desired, p []*patch.Description) {
			p[1].Flotobuild.Version = "0.9.0"
		}, "update", "-; version"},
		{"same image, other blobs", []string{"a: app=1", "a: app=1"}, "a: app=1", func(_ *Desired, p []*patch.Description) {
			p[0].Flotobuild.Images[0].Manifests[0].Layers[0].Digest = "sha256:zstd"
		}, "update", "-; -"},
		{"one parent needs no list", []string{"a:"}, "a: app=1", nil, "update", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var parents []*patch.Description
			for i, line := range c.have {
				p := have(line)
				p.ID = fmt.Sprint("p", i)
				parents = append(parents, p)
			}
			d := want(c.want)
			if c.modify != nil {
				c.modify(d, parents)
			}
			s := Diff(parents, d).Sites[0]
			var lacks []string
			for i, p := range s.ParentChanges {
				if p.ID != parents[i].ID {
					t.Errorf("parent %d is %s", i, p.ID)
				}
				lacks = append(lacks, lackText(p))
			}
			if got := strings.Join(lacks, "; "); s.Change != c.change || got != c.lacks {
				t.Errorf("got %s, %s", s.Change, got)
			}
		})
	}
}

func lackText(c ParentChange) string {
	var out []string
	for _, x := range []struct {
		n    int
		text string
	}{
		{len(c.Images), fmt.Sprint("images", c.Images)},
		{len(c.Removed), fmt.Sprint("removed", c.Removed)},
		{c.Conf, fmt.Sprint("conf ", c.Conf)},
		{c.Manifest, fmt.Sprint("manifest ", c.Manifest)},
	} {
		if x.n > 0 {
			out = append(out, x.text)
		}
	}
	for _, a := range c.Attributes {
		out = append(out, a.Name)
	}
	if out == nil {
		return "-"
	}
	return strings.Join(out, " ")
}

// The manifest of each parent is compared with what it would be there.
func TestDiffManifestOfEachParent(t *testing.T) {
	first, second := have("a: | | manifest/m=first"), have("a: | | manifest/m=second")
	first.ID, second.ID = "1", "2"
	d := want("a: | | manifest/m=first")
	d.Sites[0].manifests = map[string][]File{"2": {file("manifest/m", "second")}}
	if s := Diff([]*patch.Description{first, second}, d).Sites[0]; s.Change != ChangeNone || s.manifests != nil {
		t.Errorf("got %s, %+v", s.Change, s.ParentChanges)
	}
}

func TestDiverging(t *testing.T) {
	p := Diff([]*patch.Description{have("a: app=0 tool=0"), have("b: app=1 tool=0")}, want("a: app=2 tool=1", "b: app=2 tool=1", "c: app=2"))
	app, tool := p.Images[0], p.Images[1]
	if len(app.Diverging) != 2 || app.Diverging[0].Site != "a" || app.Diverging[1].Site != "b" || app.Diverging[0].ID == app.Diverging[1].ID {
		t.Errorf("app %+v", app.Diverging)
	}
	if tool.Diverging != nil {
		t.Errorf("tool is the same everywhere: %+v", tool.Diverging)
	}
	if p := Diff([]*patch.Description{have("a: app=2"), have("b: app=1")}, want("a: app=2", "b: app=2")); len(p.Images[0].Diverging) != 2 {
		t.Error("what one site keeps diverges from what another gets")
	}
}

func TestChangedForSeveralParents(t *testing.T) {
	swapped := []*patch.Description{have("a: app=1 tool=1"), have("a: app=0 tool=1")}
	if s := Diff(swapped, want("a: app=1 tool=1")).Sites[0]; s.Change != ChangeUpdate || !Changed(s, swapped, nil) {
		t.Error("the second parent has the image by another name only")
	}
	parents := []*patch.Description{have("a: app=1 tool=9"), have("a: app=0 tool=9")}
	s := Diff(parents, want("a: app=1 tool=9")).Sites[0]
	if ids := map[string]digest.Digest{"app": parents[0].ImageMap["app"]}; !Changed(s, parents, ids) {
		t.Error("what the first parent has the second one lacks")
	}
	parents[1].ImageMap["app"] = parents[0].ImageMap["app"]
	if ids := map[string]digest.Digest{"app": parents[0].ImageMap["app"]}; Changed(s, parents, ids) {
		t.Error("both have what was built")
	}
}

func TestCheckDates(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	parent := have("a: app=1")
	parent.CreationDate = patch.NewTime(now)
	parents := []*patch.Description{parent}
	rebuilt, same := Diff(parents, want("a: app=2")), Diff(parents, want("a: app=1"))
	changed := Diff(parents, want("a: app=2"))
	changed.Sites[0].Conf = []FileChange{{Path: "notes", Change: ChangeCreate}}
	for _, c := range []struct {
		plan  *Plan
		epoch time.Time
		n     int
	}{
		{changed, now, 1}, {changed, now.Add(-time.Hour), 1}, {changed, now.Add(time.Second), 0}, {same, now, 0}, {rebuilt, now, 0},
	} {
		if got := CheckDates(c.plan, parents, c.epoch); len(got) != c.n {
			t.Errorf("%s at %s: %d problems", c.plan.Sites[0].Change, c.epoch, len(got))
		}
	}
}
