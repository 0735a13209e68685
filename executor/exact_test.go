package executor

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

func TestCheckExact(t *testing.T) {
	id := digest.FromString
	built := []patch.Image{{Name: "app", ID: id("app"), Manifests: []patch.Manifest{{Layers: []patch.Layer{{DiffID: id("a")}, {DiffID: id("b")}}}}}}
	for name, c := range map[string]struct {
		change planner.ImageChange
		want   string // empty where it is as planned
	}{
		"as planned":   {planner.ImageChange{Name: "app", NewID: id("app")}, ""},
		"not exact":    {planner.ImageChange{Name: "app"}, ""},
		"removed":      {planner.ImageChange{Name: "gone", NewID: id("gone")}, ""},
		"other layers": {planner.ImageChange{Name: "app", Address: "image_set.s.image.app", NewID: id("x"), Layers: []planner.LayerChange{{DiffID: id("a")}, {DiffID: id("c")}}}, "the build of image_set.s.image.app gave other layers than the plan says, 1 of them"},
		"same layers":  {planner.ImageChange{Name: "app", NewID: id("x"), Layers: []planner.LayerChange{{DiffID: id("a")}, {DiffID: id("b")}}}, "of the same layers"},
	} {
		t.Run(name, func(t *testing.T) {
			err := checkExact(&planner.SitePlan{Images: []planner.ImageChange{c.change}}, built)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestMakeError(t *testing.T) {
	var sites []string
	for n := range 12 {
		sites = append(sites, fmt.Sprint("s", n))
	}
	cause := errors.New("the reason")
	err := &MakeError{
		Failed:  []ImageFailure{{Address: "x", Sites: sites, Err: cause}},
		Skipped: []ImageFailure{{Address: "y", Err: errNotBegun}},
	}
	text := err.Error()
	for _, want := range []string{"2 images were not made:\ncannot make y: not begun", `"s9", 2 more:`} {
		if !strings.Contains(text, want) {
			t.Errorf("it lacks %q:\n%s", want, text)
		}
	}
	if !strings.HasSuffix(text, "\nthe reason") || !errors.Is(err, cause) {
		t.Errorf("the reason does not stand last:\n%s", text)
	}
}
