package facts

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

// writePatch writes a patch without images of the site, made on a day of January, and
// returns its id and file.
func writePatch(t *testing.T, dir, site string, day int) (id, file string) {
	t.Helper()
	return writeChanged(t, dir, site, day, func(*patch.Description) {})
}

// writeChanged lets change alter the description before the patch is written.
func writeChanged(t *testing.T, dir, site string, day int, change func(*patch.Description)) (id, file string) {
	t.Helper()
	check(t, os.MkdirAll(dir, 0o755))
	created := time.Date(2026, 1, day, 0, 0, 0, 0, time.UTC)
	d := &patch.Description{
		CreationDate: patch.NewTime(created), ID: patch.NewID(created, "plant-v1", site), SiteName: site, Name: "plant",
		RootDefinitionFile: "plant.root.hcl",
		Flotobuild:         patch.Additions{FormatVersion: patch.FormatVersion, Version: "1.0.0"},
	}
	d.SetImages(nil, nil)
	root := patch.NewContent("conf/plant.root.hcl", nil)
	d.SetContents([]patch.Content{root})
	change(d)
	w, err := patch.Create(dir, d)
	check(t, err)
	defer w.Abort()
	check(t, w.Add(t.Context(), root.Path, strings.NewReader("")))
	check(t, w.Finish())
	check(t, w.Publish())
	return d.ID, w.Path()
}

func sites(parent string, names ...string) *lang.Config {
	cfg := &lang.Config{}
	for _, n := range names {
		cfg.Sites = append(cfg.Sites, &lang.Site{Name: n, Patch: lang.Patch{Parent: parentOf(parent), Output: lang.Path{Name: "dist"}}})
	}
	return cfg
}

func parentOf(parent string) lang.Parent {
	p, d := lang.CommandParent(parent)
	if d != nil {
		panic(d)
	}
	return p
}

func TestParents(t *testing.T) {
	w := workspace(t, nil)
	dist := filepath.Join(w.dir, "dist")
	if p, err := w.Parents(t.Context(), sites("latest", "a")); err != nil || p != nil {
		t.Errorf("no folder: %v, %v", p, err)
	}
	first, _ := writePatch(t, dist, "a", 1)
	second, file := writePatch(t, dist, "a", 2)
	other, otherFile := writePatch(t, dist, "b", 3)

	for _, c := range []struct{ parent, want string }{
		{"latest", second}, {"none", ""}, {first, first}, {"dist/" + filepath.Base(file), second}, {file, second},
	} {
		p, err := w.Parents(t.Context(), sites(c.parent, "a"))
		switch {
		case err != nil:
			t.Errorf("%s: %v", c.parent, err)
		case c.want == "" && len(p) != 0, c.want != "" && (len(p) != 1 || p[0].Description.ID != c.want || p[0].Site != "a"):
			t.Errorf("%s: %+v", c.parent, p)
		}
	}
	p, err := w.Parents(t.Context(), sites("latest", "b", "a"))
	check(t, err)
	if len(p) != 2 || p[0].Ref().ID != other || p[1].File != file || p[0].Digest.Validate() != nil || p[0].Digest == digest.FromString("") {
		t.Errorf("two sites: %+v", p)
	}

	for parent, message := range map[string]string{
		"2030-nothing":           "its newest of this site: " + second,
		"dist/x.floto-patch.zip": "there is no file",
		otherFile:                `is a patch of site "b"`,
		other:                    `is a patch of site "b"`,
	} {
		_, err := w.Parents(t.Context(), sites(parent, "a"))
		var e planner.ParentErrors
		if !errors.As(err, &e) || len(e) != 1 || e[0].Site != "a" || !strings.Contains(e[0].Error(), message) {
			t.Errorf("%s: %v", parent, err)
		}
		if d := e.Diagnostics(sites(parent, "a")); len(d) != 1 || d[0].Summary != "Unusable parent" {
			t.Errorf("diagnostics %v", d)
		}
	}
}

func TestCorruptParents(t *testing.T) {
	const a, b = ".a" + patch.Extension, ".b" + patch.Extension
	for _, c := range []struct {
		name, file, parent string
		refused            bool
	}{
		{"newer", "2026-02-01T00-00-00.000Z-x" + a, "latest", true},
		{"older", "2025-02-01T00-00-00.000Z-x" + a, "latest", false},
		{"newer of another site", "2026-02-01T00-00-00.000Z-x" + b, "latest", false},
		{"renamed", "copy" + patch.Extension, "latest", true},
		{"newer, but none is wanted", "2026-02-01T00-00-00.000Z-x" + a, "none", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := workspace(t, map[string]string{"dist/" + c.file: "PK\x03\x04 cut off"})
			writePatch(t, filepath.Join(w.dir, "dist"), "a", 1)
			writePatch(t, filepath.Join(w.dir, "dist"), "b", 1)
			cfg := sites(c.parent, "a", "b")
			cfg.Sites[1].Patch.Parent = parentOf("none")
			_, err := w.Parents(t.Context(), cfg)
			if (err != nil) != c.refused {
				t.Errorf("got %v", err)
			}
			if err != nil && (!strings.Contains(err.Error(), c.file) || !strings.Contains(err.Error(), "remove the file")) {
				t.Errorf("message %v", err)
			}
		})
	}
	t.Run("truncated behind its description", func(t *testing.T) {
		w := workspace(t, nil)
		_, file := writePatch(t, filepath.Join(w.dir, "dist"), "a", 1)
		info, err := os.Stat(file)
		check(t, err)
		check(t, os.Truncate(file, info.Size()-30))
		if _, err := w.Parents(t.Context(), sites("latest", "a")); err == nil || !strings.Contains(err.Error(), "fetch it again") {
			t.Errorf("got %v", err)
		}
	})
}
