package planner

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/hcl/v2"
	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/patch"
)

const compileProject = `
image_set "s" {
  image "app" {
    rootfs = "app.tar"
  }
}
root_definition "r" {
  file       = "r.root.hcl"
  image_sets = [image_set.s]
}
site "a" {
  root_definition = root_definition.r
  patch {
    version = "1.1.0"
  }
}
`

const compileRoot = `
host "main" {}
container "app" {
  image   = "app"
  host    = "main"
  volumes = ["./data:/data"]
}
document "notes" {
  title    = "Notes"
  template = "notes.tftpl"
}
`

// compileWorld is a project whose document is the template, what Resolve makes
// of it, and a parent that was made from it, too.
func compileWorld(t *testing.T, template string) (*lang.Config, *Desired, *patch.Description) {
	t.Helper()
	cfg, diags := lang.Load(fstest.MapFS{
		"main.floto.hcl": {Data: []byte(compileProject)},
		"r.root.hcl":     {Data: []byte(compileRoot)},
		"notes.tftpl":    {Data: []byte(template)},
	}, lang.Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	want := &Desired{Project: Project{Revision: "v2"}, Sites: []*Site{{
		Name: "a", Patch: Patch{Name: "r", Version: "1.1.0"}, Images: []SiteImage{{Name: "app"}}, Conf: []File{file("data/x", "1")},
	}}}
	parent := &patch.Description{
		ID: "p1", Revision: "r-v1", SiteName: "a", ImageMap: map[string]digest.Digest{"app": digest.FromString("app")},
		Flotobuild: patch.Additions{Version: "1.0.0"},
	}
	return cfg, want, parent
}

// give lists in the parent what its root definition gave.
func give(t *testing.T, cfg *lang.Config, parent *patch.Description) {
	t.Helper()
	files, err := Render(cfg, "a", parent.ImageMap, infoOf(parent))
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range files {
		parent.Flotobuild.Contents = append(parent.Flotobuild.Contents, patch.NewContent(name, b))
	}
}

func TestCompileAsTheParentWas(t *testing.T) {
	cfg, want, parent := compileWorld(t, "${patch.id} ${patch.version} ${patch.revision} ${images.app} ${patch.parent == null}\n")
	give(t, cfg, parent)
	if diags := Compile(cfg, []*patch.Description{nil, parent}, want); diags.HasErrors() {
		t.Fatal(diags)
	}
	if got := diffManifest(parent, want.Sites[0].Manifest); len(got) > 0 {
		t.Errorf("what differs from patch to patch counts as a change: %v", got)
	}
	if len(want.Sites[0].Manifest) != 3 {
		t.Errorf("entries %v", want.Sites[0].Manifest)
	}
}

func TestCompileChangedTemplate(t *testing.T) {
	cfg, _, parent := compileWorld(t, "one\n")
	give(t, cfg, parent)
	// The last cannot be rendered as the parent was, which had no parent.
	for _, template := range []string{"two\n", "on ${patch.parent}\n"} {
		cfg, want, _ := compileWorld(t, template)
		if diags := Compile(cfg, []*patch.Description{parent}, want); diags.HasErrors() {
			t.Fatalf("%q: %v", template, diags)
		}
		got := diffManifest(parent, want.Sites[0].Manifest)
		if len(got) != 1 || got[0].Path != "documents/Notes" || got[0].Change != ChangeUpdate {
			t.Errorf("%q: changes %v", template, got)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	cfg, want, _ := compileWorld(t, "on ${patch.parent}\n")
	want.Sites[0].Conf = []File{file("database", "1")}
	diags := Compile(cfg, nil, want)
	if len(diags) != 2 || diags[0].Summary != "Mounted file does not travel" || !strings.Contains(diags[1].Detail, "null") {
		t.Errorf("diagnostics %v", diags)
	}
	_, err := Render(cfg, "a", nil, PatchInfo{})
	var d hcl.Diagnostics
	if !errors.As(err, &d) {
		t.Errorf("error %v", err)
	}
	if _, err := Render(cfg, "b", nil, PatchInfo{}); err == nil {
		t.Error("a site that does not exist is rendered")
	}
}
