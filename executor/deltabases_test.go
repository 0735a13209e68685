package executor

import (
	"slices"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
)

func idsOf(layers ...patch.Layer) []digest.Digest {
	var out []digest.Digest
	for _, l := range layers {
		out = append(out, l.DiffID)
	}
	return out
}

func TestCandidates(t *testing.T) {
	a1, a2, b, c, lost := sized("a1", 10), sized("a2", 20), sized("b", 40), sized("c", 80), sized("lost", 1)
	old := requiring(imageOf("b", b, a1), imageOf("app", a2, a1, lost), imageOf("c", c))
	same := requiring(imageOf("other", c, a1, a2, b, lost))
	less := requiring(imageOf("app", a2, b))
	none := requiring(imageOf("x", sized("fresh", 5)))
	for name, test := range map[string]struct {
		parents  []*patch.Description
		images   []string
		room     int64
		own, all []patch.Layer
	}{
		"the changed image is on top":         {[]*patch.Description{old}, []string{"app"}, 1000, []patch.Layer{a2, a1}, []patch.Layer{b, c, a2, a1}},
		"two images":                          {[]*patch.Description{old}, []string{"c", "app"}, 1000, []patch.Layer{a2, a1, c}, []patch.Layer{b, a2, a1, c}},
		"an image that the parent lacks":      {[]*patch.Description{old}, []string{"new"}, 1000, nil, []patch.Layer{b, a1, a2, c}},
		"what two parents have":               {[]*patch.Description{old, less}, []string{"app"}, 1000, []patch.Layer{a2}, []patch.Layer{b, a2}},
		"the order is that of the first":      {[]*patch.Description{old, same}, []string{"app"}, 1000, []patch.Layer{a2, a1}, []patch.Layer{b, c, a2, a1}},
		"what the first lacks is no base":     {[]*patch.Description{less, old}, []string{"app"}, 1000, []patch.Layer{a2, b}, []patch.Layer{a2, b}},
		"the changed image gets room first":   {[]*patch.Description{old}, []string{"app"}, 69, []patch.Layer{a2, a1}, []patch.Layer{a2, a1}},
		"as much as there is room for":        {[]*patch.Description{old}, []string{"app"}, 70, []patch.Layer{a2, a1}, []patch.Layer{b, a2, a1}},
		"too large, and others after it":      {[]*patch.Description{old}, []string{"app"}, 15, []patch.Layer{a1}, []patch.Layer{a1}},
		"no room":                             {[]*patch.Description{old}, []string{"app"}, 0, nil, nil},
		"of three, one has nothing in common": {[]*patch.Description{old, same, none}, []string{"app"}, 1000, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := runWith(t, a1, a2, b, c)
			from := &candidates{parents: test.parents, has: r.parents.layersOf.Has}
			own := make(variants)
			for _, n := range test.images {
				own[variant{name: n}] = true
			}
			for range 2 {
				if got := from.of(own, test.room); !slices.Equal(got, idsOf(test.own...)) {
					t.Errorf("own: got %q, want %q", got, idsOf(test.own...))
				}
				if got := from.all(own, test.room); !slices.Equal(got, idsOf(test.all...)) {
					t.Errorf("all: got %q, want %q", got, idsOf(test.all...))
				}
			}
		})
	}
}

// A layer is compared with its own images first, and equal bases follow each
// other; what else a site has makes no difference for these.
func TestLooks(t *testing.T) {
	a, b, c := sized("a", 1<<20), sized("b", 1<<20), sized("c", 1<<20)
	a1, b1, ab, n := sized("a1", 5000), sized("b1", 5000), sized("ab", 5000), sized("n", 5000)
	r := runWith(t, a, b, c)
	looks := func(parent, next *patch.Description, fresh ...patch.Layer) []look {
		return r.looks(&draft{desc: next, parents: []*patch.Description{parent}}, fresh)
	}
	parent := requiring(imageOf("a", a), imageOf("b", b), imageOf("c", c))
	next := requiring(imageOf("a", a1, ab), imageOf("b", b1, ab), imageOf("new", n), imageOf("c", c))
	own := map[digest.Digest][]digest.Digest{a1.Digest: idsOf(a), b1.Digest: idsOf(b), ab.Digest: idsOf(a, b)}
	all := idsOf(c, a, b)
	got := looks(parent, next, a1, ab, b1, n)
	if len(got) != 7 {
		t.Fatalf("%d looks: %v", len(got), got)
	}
	for _, l := range got[:3] {
		if !slices.Equal(l.bases, own[l.layer.Digest]) {
			t.Errorf("layer %s is compared with %q first", l.layer.Digest, l.bases)
		}
	}
	for _, l := range got[3:] {
		if !slices.Equal(l.bases, all) {
			t.Errorf("layer %s is compared with %q then", l.layer.Digest, l.bases)
		}
	}
	alone := looks(requiring(imageOf("a", a)), requiring(imageOf("a", a1)), a1)
	if len(alone) != 1 || !slices.Equal(alone[0].bases, idsOf(a)) {
		t.Errorf("a site with that image alone compares otherwise: %v", alone)
	}
}

// Images for several platforms: each layer is compared with those of its own.
func TestLooksPlatforms(t *testing.T) {
	multi := func(amd, arm patch.Layer) patch.Image {
		return patch.Image{Name: "app", Manifests: []patch.Manifest{{Platform: "linux/amd64", Layers: []patch.Layer{amd}}, {Platform: "linux/arm64", Layers: []patch.Layer{arm}}}}
	}
	amd, arm, amd1, arm1 := sized("amd", 1<<20), sized("arm", 1<<20), sized("amd1", 5000), sized("arm1", 5000)
	r := runWith(t, amd, arm)
	got := r.looks(&draft{desc: requiring(multi(amd1, arm1)), parents: []*patch.Description{requiring(multi(amd, arm))}}, []patch.Layer{amd1, arm1})
	own := map[digest.Digest][]digest.Digest{amd1.Digest: idsOf(amd), arm1.Digest: idsOf(arm)}
	for _, l := range got[:2] {
		if !slices.Equal(l.bases, own[l.layer.Digest]) {
			t.Errorf("layer %s is compared with %q first", l.layer.Digest, l.bases)
		}
	}
}
