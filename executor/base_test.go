//go:build linux

package executor_test

import "testing"

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
