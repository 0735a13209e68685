//go:build linux

package executor_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const builtBaseHCL = siteHCL + `
variable "label" { default = "one" }
image_set "plant" {
  image "root" { rootfs = "rootfs.tar" }
  image "base" {
    context  = "base"
    contexts = { root = image_set.plant.image.root }
    labels   = { release = var.label }
  }
  image "app" {
    context  = "app"
    contexts = { base = image_set.plant.image.base }
  }
}
`

func builtBase(t *testing.T) *project {
	return newProject(t, map[string]string{
		"plant.floto.hcl": builtBaseHCL,
		"plant.root.hcl":  rootHCL,
		"base/Dockerfile": "FROM root\nRUN cat /proc/sys/kernel/random/uuid > /base\nENV BASE=1\nCOPY file /base.txt\n",
		"base/file":       "one\n",
		"app/Dockerfile":  "FROM base\nRUN cat /proc/sys/kernel/random/uuid > /app && echo $BASE >> /app\nCOPY file /app.txt\n",
		"app/file":        "one\n",
	})
}

// A base that no container names is in no patch as an image. The next build must
// find it all the same.
func TestBaseThatNoContainerNamesSurvivesANewMachine(t *testing.T) {
	p := builtBase(t)
	p.ownEngine()
	first := p.apply()
	if n := len(first.Description.Flotobuild.Bases); n != 2 {
		t.Fatalf("the patch records %d bases; want root and base", n)
	}
	p.wipe()
	p.write(map[string]string{"app/file": "two\n"})
	if c := carried(t, p.apply()); len(c) != 1 {
		t.Errorf("after a change on top of the base the patch carries %v; want one layer", c)
	}
	p.wipe()
	p.write(map[string]string{"base/file": "two\n"})
	third := p.apply()
	if c := carried(t, third); len(c) != 2 {
		t.Errorf("after a change in the base the patch carries %v; want its copy and the RUN on top, as the last copy has the same content", c)
	}
	if n := len(third.Description.Flotobuild.Bases); n != 2 {
		t.Errorf("the patch records %d bases; want 2", n)
	}
}

func TestConfigOfABaseIsNoReasonForNewLayers(t *testing.T) {
	p := builtBase(t)
	p.apply()
	p.write(map[string]string{"label.auto.hclvars": "label = \"two\"\n"})
	second := p.apply()
	if c := carried(t, second); len(c) != 0 {
		t.Errorf("after a new label of the base the patch carries %v; want no layer", c)
	}
	if id := second.Description.ImageMap["app"]; id == "" || second.Description.ContainedImageIDs[0] == "" {
		t.Error("the image has no new id, although its label changed")
	}
}

func TestBaseForAnotherPlatform(t *testing.T) {
	p := builtBase(t)
	p.write(map[string]string{"plant.floto.hcl": builtBaseHCL + `
image_set "other" {
  image "arm" {
    context   = "app"
    contexts  = { base = image_set.plant.image.base }
    platforms = ["linux/arm64"]
  }
}
`, "plant.root.hcl": `
host "edge" { address = "127.0.0.1" }
container "app" {
  image = "arm"
  host  = "edge"
}
`})
	p.replace("plant.floto.hcl", "image_sets = [image_set.plant]", "image_sets = [image_set.plant, image_set.other]")
	p.fails("is only for linux/")
}

// builderProject has an image that another one only copies from: its layers are
// in no patch.
func builderProject(t *testing.T) *project {
	return newProject(t, map[string]string{
		"plant.floto.hcl": siteHCL + `
image_set "plant" {
  image "base" { rootfs = "rootfs.tar" }
  image "builder" {
    context  = "builder"
    contexts = { base = image_set.plant.image.base }
  }
  image "app" {
    context  = "app"
    contexts = { base = image_set.plant.image.base, builder = image_set.plant.image.builder }
  }
}
`,
		"plant.root.hcl":     rootHCL,
		"builder/Dockerfile": "FROM base\nRUN date +%s%N > /tool\n",
		"app/Dockerfile":     "FROM base\nCOPY --from=builder /tool /tool\nCOPY file /file\n",
		"app/file":           "one\n",
	})
}

func TestBuilderIsBuiltAgainOnANewMachine(t *testing.T) {
	p := builderProject(t)
	p.ownEngine()
	p.apply()
	p.wipe()
	p.write(map[string]string{"app/Dockerfile": "FROM base\nCOPY --from=builder /tool /tool2\nCOPY file /file\n"})
	check(t, p.applied(), p.headers()...)
	p.wipe()

	// It becomes an image of the site on a machine that has never built it.
	p.write(map[string]string{"plant.root.hcl": rootHCL + `
container "builder" {
  image = "builder"
  host  = "edge"
}
`})
	check(t, p.applied(), p.headers()...)
}

func TestChainOfImagesWithTheNewestPatchAlone(t *testing.T) {
	p := newProject(t, map[string]string{
		"plant.floto.hcl": siteHCL + `
image_set "plant" {
  image "base" { rootfs = "rootfs.tar" }
  image "a" {
    context  = "a"
    contexts = { base = image_set.plant.image.base }
  }
  image "app" {
    context  = "app"
    contexts = { a = image_set.plant.image.a }
  }
}
`,
		"plant.root.hcl": rootHCL + `
container "a" {
  image = "a"
  host  = "edge"
}
`,
		"a/Dockerfile":   "FROM base\nRUN date +%s%N > /a\n",
		"app/Dockerfile": "FROM a\nRUN date +%s%N > /b\nCOPY file /file\n",
		"app/file":       "one\n",
	})
	p.ownEngine()
	first := p.applied()
	p.write(map[string]string{"app/file": "two\n"})
	p.applied()
	if err := os.Remove(first); err != nil {
		t.Fatal(err)
	}
	p.wipe()
	p.write(map[string]string{"app/file": "three\n"})
	check(t, p.applied(), p.headers()...)
}

func TestCompressionDoesNotDependOnOtherProjects(t *testing.T) {
	engine := "flotobuild {\n  engine {\n    compression = %q\n  }\n}\n"
	for _, c := range []string{"zstd", "gzip", "none"} {
		p := appProject(t, "FROM base\nRUN echo always the same > /same\nCOPY file /file\n")
		p.write(map[string]string{"engine.floto.hcl": fmt.Sprintf(engine, c)})
		r := check(t, p.applied())
		want := map[string]string{"zstd": "zstd", "gzip": "gzip", "none": "tar"}[c]
		for _, l := range r.Description.Flotobuild.Images[0].Manifests[0].Layers {
			if !strings.HasSuffix(l.MediaType, want) {
				t.Errorf("with compression %s the patch has a layer of type %s", c, l.MediaType)
			}
		}
	}
}

func TestDamagedStoreIsMadeAnew(t *testing.T) {
	p := appProject(t, "FROM base\nCOPY file /file\n")
	p.apply()
	blobs, err := filepath.Glob(filepath.Join(p.dir, ".flotobuild", "store", "blobs", "sha256", "*"))
	if err != nil || len(blobs) == 0 {
		t.Fatal(blobs, err)
	}
	for _, b := range blobs {
		data, err := os.ReadFile(b)
		if err != nil {
			t.Fatal(err)
		}
		data[len(data)/2] ^= 1
		os.Chmod(b, 0o644)
		if err := os.WriteFile(b, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(filepath.Join(p.dir, "dist")); err != nil {
		t.Fatal(err)
	}
	check(t, p.applied())
}
