package facts

import (
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/flotobuild/flotobuild/executor/parent"
	"github.com/flotobuild/flotobuild/patch"
)

// version makes a patch one of another version.
func version(v string) func(*patch.Description) {
	return func(d *patch.Description) { d.Flotobuild.Version = v }
}

// found gives the ids of the parents of site a, or the error.
func found(t *testing.T, w *Workspace, want string, also ...string) (string, []Parent) {
	t.Helper()
	cfg := sites(want, "a", "b")
	cfg.Sites[1].Patch.Parent = parentOf("none")
	for _, x := range also {
		cfg.Sites[0].Patch.AlsoFrom = append(cfg.Sites[0].Patch.AlsoFrom, parentOf(x))
	}
	p, err := w.Parents(t.Context(), cfg)
	if err != nil {
		return err.Error(), nil
	}
	var ids []string
	for _, x := range p {
		ids = append(ids, x.Description.ID)
	}
	return strings.Join(ids, " "), p
}

func expect(t *testing.T, w *Workspace, cases map[string]string) {
	t.Helper()
	for parent, want := range cases {
		if got, _ := found(t, w, parent); got != want && (want == "" || !strings.Contains(got, want)) {
			t.Errorf("%s: got %s", parent, got)
		}
	}
}

func TestParentConstraint(t *testing.T) {
	w := workspace(t, nil)
	dist := filepath.Join(w.dir, "dist")
	v20, _ := writeChanged(t, dist, "a", 1, version("2.0.0"))
	v21, _ := writeChanged(t, dist, "a", 2, version("2.1.0"))
	again, _ := writeChanged(t, dist, "a", 3, version("2.1.0"))
	v30, _ := writeChanged(t, dist, "a", 4, version("3.0.0"))
	old, _ := writeChanged(t, dist, "a", 5, version("1.9.0"))
	rc, _ := writeChanged(t, dist, "a", 6, version("3.1.0-rc.1"))
	writeChanged(t, dist, "b", 7, version("2.5.0"))
	expect(t, w, map[string]string{
		"~> 2.0": again, "~> 2.0.0": v20, "< 2.1": v20, "2.1.0": again, "*": v30, "< 2": old, ">= 3.1.0-0": rc,
		"~> 4.0":  "its versions of this site: 1.9.0, 2.0.0, 2.1.0",
		"latest":  rc,
		"= 2.5.0": "satisfies",
	})
	_ = v21
	tree(t, dist, map[string]string{"2020-02-01T00-00-00.000Z-x.a" + patch.Extension: "PK\x03\x04 cut off"})
	expect(t, w, map[string]string{"~> 2.0": "may have the version", "latest": rc})
}

func TestParentFolderAndNearest(t *testing.T) {
	w := workspace(t, map[string]string{"empty/": "", "dist/": ""})
	first, file := writePatch(t, filepath.Join(w.dir, "old"), "a", 1)
	second, _ := writePatch(t, filepath.Join(w.dir, "old"), "a", 2)
	writePatch(t, filepath.Join(w.dir, "old"), "b", 3)
	third, _ := writePatch(t, filepath.Join(w.dir, "dist"), "a", 4)
	base := filepath.Base(file)
	expect(t, w, map[string]string{
		"./old": second, "old/": second, filepath.Join(w.dir, "old") + "/": second, "old/" + base: first,
		"empty/":                   "has no patch of this site",
		"old":                      `write "./old"`,
		"old/" + base[1:]:          `did you mean "old/` + base,
		"nowhere/else.zip":         `there is no folder "nowhere" either. Correct the path; paths are relative to the project folder`,
		third[:len(third)-3] + "a": `did you mean "` + third,
		"dist/../old/" + base:      first,
	})
}

func TestParentDescriptions(t *testing.T) {
	w := workspace(t, nil)
	id, file := writePatch(t, filepath.Join(w.dir, "dist"), "a", 1)
	r, err := patch.Open(file)
	check(t, err)
	defer r.Close()
	receipt, err := patch.EncodeReceipt(patch.NewReceipt(&r.Header, patch.NewTime(time.Now()), nil))
	check(t, err)
	_, other := writePatch(t, filepath.Join(w.dir, "other"), "b", 1)
	o, err := patch.Open(other)
	check(t, err)
	defer o.Close()
	tree(t, w.dir, map[string]string{
		"d.json": string(r.Raw()), "r.json": string(receipt), "o.json": string(o.Raw()),
		"cut.json": string(r.Raw()[:100]), "x.json": `{"a": 1}`, "list.json": "[]", "none.json": "", "v9.json": `{"receiptVersion": 9}`,
		"flip.json": strings.Replace(string(receipt), `"description": "`, `"description": "A`, 1),
	})
	expect(t, w, map[string]string{
		"d.json": id, "r.json": id, "./r.json": id,
		"o.json":    `is a patch of site "b"`,
		"cut.json":  "neither a description nor a receipt",
		"x.json":    "neither a patch file",
		"list.json": "it is truncated",
		"none.json": "not a patch file",
		"v9.json":   "take a newer flotobuild",
		"flip.json": "cannot read receipt",
	})
	for _, name := range []string{"d.json", "r.json"} {
		_, p := found(t, w, name)
		if len(p) != 1 || !p[0].WithoutLayers || p[0].Digest != r.Digest {
			t.Errorf("%s: %+v", name, p)
		}
	}
	// One patch by two names counts once, and is told.
	got, p := found(t, w, "latest", "r.json", "1.0.0")
	if got != id || len(p[0].Doubles) != 2 || p[0].Doubles[0].Text != "r.json" || p[0].WithoutLayers {
		t.Errorf("got %s, %+v", got, p)
	}
}

func TestSeveralParents(t *testing.T) {
	w := workspace(t, nil)
	dist := filepath.Join(w.dir, "dist")
	if got, _ := found(t, w, "latest", "~> 1.0"); !strings.Contains(got, "has no patch of this site yet") {
		t.Errorf("no patch yet: %s", got)
	}
	first, _ := writePatch(t, dist, "a", 1)
	second, _ := writeChanged(t, dist, "a", 2, version("2.0.0"))
	if got, _ := found(t, w, "latest", "~> 1.0"); got != second+" "+first {
		t.Errorf("got %s", got)
	}
	if got, _ := found(t, w, "~> 7.0", "~> 8.0"); strings.Count(got, "satisfies") != 2 {
		t.Errorf("not all problems: %s", got)
	}
	// Two patches with one id.
	_, twin := writeChanged(t, filepath.Join(w.dir, "twin"), "a", 2, version("2.5.0"))
	if got, _ := found(t, w, "latest", twin); !strings.Contains(got, "different patches with the same id") {
		t.Errorf("twin: %s", got)
	}
	b, err := os.ReadFile(twin)
	check(t, err)
	check(t, os.WriteFile(filepath.Join(dist, "copy"+patch.Extension), b, 0o644))
	if got, _ := found(t, w, "latest"); !strings.Contains(got, "different patches with the same id") {
		t.Errorf("twin in one folder: %s", got)
	}
}

func TestParentCycle(t *testing.T) {
	w := workspace(t, nil)
	dist := filepath.Join(w.dir, "dist")
	id := func(day int) string {
		return patch.NewID(time.Date(2026, 1, day, 0, 0, 0, 0, time.UTC), "plant-v1", "a")
	}
	on := func(day int) func(*patch.Description) {
		return func(d *patch.Description) {
			d.ParentID = id(day)
			d.Flotobuild.Parents = []patch.ParentRef{{ID: id(day), DescriptionDigest: sumA}}
		}
	}
	writeChanged(t, dist, "a", 1, on(2))
	writeChanged(t, dist, "a", 2, on(1))
	writeChanged(t, dist, "a", 3, on(2))
	expect(t, w, map[string]string{id(2): "its own ancestor", id(3): id(3)})
}

func TestParentArtifact(t *testing.T) {
	s := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer s.Close()
	repo := strings.TrimPrefix(s.URL, "http://") + "/plant/a"
	w := workspace(t, nil)
	id, file := writePatch(t, filepath.Join(w.dir, "x"), "a", 1)
	r, err := patch.Open(file)
	check(t, err)
	defer r.Close()
	push := func(tag string, mediaType string, content []byte, times int) string {
		img := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
		for range times {
			img, err = mutate.AppendLayers(img, static.NewLayer(content, types.MediaType(mediaType)))
			check(t, err)
		}
		ref, err := name.ParseReference(repo + ":" + tag)
		check(t, err)
		check(t, remote.Write(ref, img))
		d, err := img.Digest()
		check(t, err)
		return d.String()
	}
	digest := push("1", parent.MediaTypeDescription, r.Raw(), 1)
	push("image", string(types.OCILayer), r.Raw(), 1)
	push("two", parent.MediaTypeDescription, r.Raw(), 2)
	push("bad", parent.MediaTypeDescription, []byte("{}"), 1)
	expect(t, w, map[string]string{
		"oci://" + repo + ":1": id, "oci://" + repo + "@" + digest: id, "oci://" + repo + ":1@" + digest: id,
		"oci://" + repo + ":2":     "no such artifact",
		"oci://" + repo + ":image": "it has 0 layers",
		"oci://" + repo + ":two":   "it has 2 layers",
		"oci://" + repo + ":bad":   "neither a patch file",
		"oci://Up per":             "cannot parse reference",
	})
	_, p := found(t, w, "oci://"+repo+":1")
	if len(p) != 1 || p[0].File != "oci://"+repo+"@"+digest || !p[0].WithoutLayers || p[0].Digest != r.Digest {
		t.Errorf("got %+v", p)
	}
}
