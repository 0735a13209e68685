package planner

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
)

// gave is what a build gave for one image: its layers as "step" or "step+" for
// one that travels, base first.
type gave struct {
	name   string
	layers string
	steps  []Step
}

// built makes a Built for site "a" from what builds gave.
func built(images ...gave) *Built {
	d := &patch.Description{ImageMap: map[string]digest.Digest{}}
	out := &Built{
		Created: patch.NewTime(time.Unix(1700000000, 5e6)),
		Sites:   map[string]BuiltSite{"a": {Description: d, Size: 1234}},
		Steps:   map[string]map[string][]Step{},
	}
	travels := make(map[digest.Digest]bool)
	for _, g := range images {
		m := patch.Manifest{Platform: "linux/amd64"}
		for _, word := range strings.Fields(g.layers) {
			by, travel := strings.CutSuffix(word, "+")
			l := patch.Layer{DiffID: digest.FromString(by), Size: int64(len(by)), CreatedBy: by}
			if travel && !travels[l.DiffID] {
				travels[l.DiffID] = true
				d.Flotobuild.Transport = append(d.Flotobuild.Transport, patch.LayerTransport{DiffID: l.DiffID, Kind: patch.TransportFull})
			}
			m.Layers = append(m.Layers, l)
		}
		id := digest.FromString("image " + strings.ReplaceAll(g.layers, "+", ""))
		d.Flotobuild.Images = append(d.Flotobuild.Images, patch.Image{Name: g.name, ID: id, Manifests: []patch.Manifest{m}})
		out.Steps[address(g.name)] = map[string][]Step{"linux/amd64": g.steps}
	}
	return out
}

// had replaces the layers of a parent's image.
func had(d *patch.Description, name, layers string) *patch.Description {
	for n := range d.Flotobuild.Images {
		i := &d.Flotobuild.Images[n]
		if i.Name != name {
			continue
		}
		i.ID = digest.FromString("image " + layers)
		d.ImageMap[name] = i.ID
		i.Manifests[0].Layers = nil
		for _, by := range strings.Fields(layers) {
			i.Manifests[0].Layers = append(i.Manifests[0].Layers, patch.Layer{DiffID: digest.FromString(by), Size: int64(len(by)), CreatedBy: by})
		}
	}
	return d
}

// told writes what a refined plan says of the images of a site.
func told(s *SitePlan) string {
	out := []string{s.Change}
	for _, c := range s.Images {
		text := fmt.Sprintf("%s:%s", c.Name, c.Change)
		if c.Made() {
			text += "!"
		}
		for _, l := range c.Layers {
			if l.Change != ChangeCreate {
				continue
			}
			text += " " + l.Cause
			for _, r := range l.Reasons {
				text += "(" + r.Input + ")"
			}
			if l.Follows != "" {
				text += "<" + l.Follows
			}
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}

func line(line int, reads ...string) Step {
	return Step{Place: fmt.Sprintf("D:%d", line), Text: "text", Reads: reads}
}

func TestRefine(t *testing.T) {
	changed := func(inputs ...string) []Reason {
		var out []Reason
		for _, i := range inputs {
			out = append(out, Reason{Input: i, Old: "1", New: "2"})
		}
		return out
	}
	for _, c := range []struct {
		name    string
		old     string // layers of the parent's image; none for a new image
		reasons []Reason
		built   *Built
		want    string
	}{
		{"nothing needed", "root run", changed("arg:X"), &Built{}, "none; app:none!"},
		{
			"the same image", "root run", changed("dockerfile"),
			built(gave{"app", "root run", []Step{{}, line(2)}}), "update; app:none!",
		},
		{
			"other config, no layer", "root run", changed("label:x"),
			&Built{Sites: built(gave{"app", "run", nil}).Sites}, "update; app:update!",
		},
		{
			"a file and what follows", "root copy run", changed("context:app"),
			built(gave{"app", "root copy2+ run2+", []Step{{}, line(2, "context:app"), line(3)}}),
			"update; app:update! D:2(context:app) D:3<D:2",
		},
		{
			"two files", "root copy copy", changed("context:a", "context:b"),
			built(gave{"app", "root copya+ copyb+", []Step{{}, line(2, "context:a"), line(3, "context:b")}}),
			"update; app:update! D:2(context:a) D:3(context:b)",
		},
		{
			"a pattern, all of a context, a large context", "x", changed("context:a.conf", "context-dir:c:y", "context-dir:d"),
			built(gave{"app", "p+ q+ r+ s+", []Step{line(1, "context:*.conf"), line(2, "context:"), line(3, "context-dir:c:"), line(4, "context-dir:d:z")}}),
			"update; app:update! D:1(context:a.conf) D:2(context:a.conf) D:3(context-dir:c:y) D:4(context-dir:d)",
		},
		{
			"an argument", "root run run", changed("arg:R"),
			built(gave{"app", "root run2+ run3+", []Step{{}, line(2, "arg:R"), line(3, "arg:R")}}),
			"update; app:update! D:2(arg:R) D:3(arg:R)",
		},
		{
			"the base", "root run", changed("base:alpine"),
			built(gave{"app", "root2+ run2+", []Step{{}, line(2)}}),
			"update; app:update! base:alpine(base:alpine) D:2<base:alpine",
		},
		{
			"a step of the project's base", "root run", changed("image:base"),
			built(gave{"app", "b2+ run2+ linked", []Step{{Place: "B:1", Base: true}, line(2), {Place: "D:3", Alone: true}}}),
			"update; app:update! B:1(image:base) D:2<B:1",
		},
		{
			"a new step", "root run", changed("dockerfile"),
			built(gave{"app", "root run more+", []Step{{}, line(2), line(3)}}), "update; app:update! D:3(step)",
		},
		{
			"a setting of the Dockerfile", "root run", changed("dockerfile"),
			built(gave{"app", "root run+", []Step{{}, line(3)}}), "update; app:update! D:3(dockerfile)",
		},
		{
			"no input of it changed", "root run copy", changed("context:f"),
			built(gave{"app", "root run2+ copy2+", []Step{{}, line(2), line(3, "context:f")}}),
			"update; app:update! D:2 D:3(context:f)",
		},
		{
			"a linked copy does not follow", "root run copy", changed("arg:R"),
			built(gave{"app", "root run2+ copy2+", []Step{{}, line(2, "arg:R"), {Place: "D:3", Alone: true}}}),
			"update; app:update! D:2(arg:R) D:3(step)",
		},
		{
			"a root file system", "root", changed("rootfs"),
			built(gave{"app", "root2+", nil}), "update; app:update! rootfs(rootfs)",
		},
		{
			"a new version of others", "one two", changed("source"),
			built(gave{"app", "one three+", []Step{{}, {}}}), "update; app:update! source(source)",
		},
		{
			"a new image", "", nil,
			built(gave{"app", "root+ run+", []Step{{}, line(2)}}), "create; app:create! new(new) D:2(new)",
		},
		{
			"a parent without fingerprints", "root run", changed("fingerprint"),
			built(gave{"app", "root run2+", []Step{{}, line(2)}}), "update; app:update! D:2(fingerprint)",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var parents []*patch.Description
			if c.old != "" {
				parents = append(parents, had(have("a: app=1"), "app", c.old))
			}
			plan := Diff(parents, want("a: app=2"))
			if c.reasons != nil {
				plan.Sites[0].Images[0].Reasons = c.reasons
			}
			before, err := Encode(plan)
			if err != nil {
				t.Fatal(err)
			}
			got := Refine(plan, parents, c.built)
			if s := told(got.Sites[0]); s != c.want {
				t.Errorf("\n got %s\nwant %s", s, c.want)
			}
			if after, err := Encode(plan); err != nil || string(after) != string(before) {
				t.Errorf("the plan was changed: %v\n%s", err, after)
			}
		})
	}
}

func TestRefineFigures(t *testing.T) {
	parents := []*patch.Description{had(have("a: app=1 tool=1 gone=1"), "app", "root run")}
	plan := Diff(parents, want("a: app=2 tool=1 web=9"))
	b := built(gave{"app", "root shared+ mine+", nil}, gave{"tool", "x", nil}, gave{"web", "root shared+ web+", nil})
	got := Refine(plan, parents, b)
	s := got.Sites[0]
	if want := (Size{Exact: true, NewLayers: 6 + 4 + 3, Patch: 1234}); s.Size != want {
		t.Errorf("size %+v; want %+v", s.Size, want)
	}
	if s.Images[0].NewSize != 10 {
		t.Errorf("app has %d new bytes; want 10: %s", s.Images[0].NewSize, told(s))
	}
	if s.Images[3].NewSize != 9 || s.Images[2].Made() || s.Images[1].NewID != "" {
		t.Errorf("images %s", told(s))
	}
	data, err := Encode(got)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Decode(data)
	if err != nil || !reflect.DeepEqual(again, got) {
		t.Errorf("after a trip through JSON: %v\n%+v\n%+v", err, again, got)
	}
	if stale, err := Stale(got, plan); err != nil || stale != nil {
		t.Errorf("a build made the plan stale: %v, %v", stale, err)
	}
	if Refine(plan, parents, &Built{Created: b.Created, Epoch: true}).SourceDateEpoch != true {
		t.Error("SOURCE_DATE_EPOCH is forgotten")
	}
}
