package lang_test

import (
	"fmt"
	"os"
	"testing/fstest"

	"github.com/flotobuild/flotobuild/lang"
)

func ExampleLoad() {
	project := fstest.MapFS{
		"plant.floto.hcl": {Data: []byte(`
variable "release" {
  default = "2.1.6"
}
image_set "plant" {
  image "historian" {
    context = "images/historian"
    args    = { RELEASE = var.release }
  }
}
root_definition "plant" {
  file       = "plant.root.hcl"
  image_sets = [image_set.plant]
}
site "hamburg" {
  root_definition = root_definition.plant
  patch {
    version = var.release
  }
}
`)},
		"plant.root.hcl": {Data: []byte(`
host "main" {}
container "db" {
  image = "historian"
  host  = "main"
}
`)},
	}
	cfg, diags := lang.Load(project, lang.Options{
		ToolVersion: "0.1.0",
		Vars:        []lang.VarOption{{Assignment: "release=2.1.7"}},
	})
	if diags.HasErrors() {
		fmt.Println(lang.WriteDiagnostics(os.Stdout, diags, cfg.Files, lang.DiagnosticsOptions{Width: 80}))
		return
	}
	for _, s := range cfg.Sites {
		for _, im := range s.Images() {
			fmt.Println(s.Name, s.Patch.Version, im.Address(), im.Build.Args)
		}
	}
	// Output: hamburg 2.1.7 image_set.plant.image.historian map[RELEASE:2.1.7]
}
