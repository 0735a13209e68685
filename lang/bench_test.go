package lang

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// BenchmarkLoad loads a project of 200 images and 50 sites.
func BenchmarkLoad(b *testing.B) {
	var src, root strings.Builder
	src.WriteString("variable \"release\" {\n  default = \"1.0.0\"\n}\nimage_set \"app\" {\n")
	root.WriteString("host \"main\" {}\n")
	for i := range 200 {
		fmt.Fprintf(&src, "  image \"i%d\" {\n    context = \"images/i%d\"\n    args = { RELEASE = var.release }\n  }\n", i, i)
		fmt.Fprintf(&root, "container \"c%d\" {\n  image = \"i%d\"\n  host = \"main\"\n}\n", i, i)
	}
	src.WriteString("}\nroot_definition \"a\" {\n  file = \"a.root.hcl\"\n  image_sets = [image_set.app]\n}\n")
	for i := range 50 {
		fmt.Fprintf(&src, "site \"s%d\" {\n  root_definition = root_definition.a\n  patch {\n    version = var.release\n  }\n}\n", i)
	}
	fsys := fstest.MapFS{"main.floto.hcl": {Data: []byte(src.String())}, "a.root.hcl": {Data: []byte(root.String())}}
	b.SetBytes(int64(src.Len() + root.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, diags := Load(fsys, Options{ToolVersion: "0.1.0"}); diags.HasErrors() {
			b.Fatal(diags)
		}
	}
}

// BenchmarkLoadScale loads projects of 1,000 sites that choose from ever more
// images, which are made by for_each. Each site runs ten containers.
func BenchmarkLoadScale(b *testing.B) {
	for _, images := range []int{10, 100, 1000, 10_000} {
		b.Run(fmt.Sprintf("images=%d", images), func(b *testing.B) { benchmarkScale(b, images, 1000) })
	}
	b.Run("images=1000,sites=100", func(b *testing.B) { benchmarkScale(b, 1000, 100) })
}

func benchmarkScale(b *testing.B, images, sites int) {
	const src = `locals {
  host = "main"
}
variable "images" {
  type = set(string)
}
variable "sites" {
  type = set(string)
}
image_set "app" {
  image "service" {
    for_each = var.images
    context  = "images/${each.key}"
    args     = { NAME = each.key, HOST = local.host }
    labels   = { service = upper(each.key) }
  }
}
root_definition "a" {
  file       = "a.root.hcl"
  image_sets = [image_set.app]
}
site "plant" {
  for_each        = var.sites
  root_definition = root_definition.a
  vars            = { domain = "${site.name}.example" }
  patch {
    version = "1.0.0"
  }
}
`
	vars := fmt.Sprintf("images = [%s]\nsites = [%s]\n", quotedNames("i", images), quotedNames("s", sites))
	var root strings.Builder
	root.WriteString("host \"main\" {\n  address = \"10.0.0.1\"\n}\n")
	for i := range 10 {
		fmt.Fprintf(&root, "container \"c%d\" {\n  image = \"i%d\"\n  host = \"main\"\n}\n", i, i)
	}
	fsys := fstest.MapFS{
		"main.floto.hcl":     {Data: []byte(src)},
		"flotobuild.hclvars": {Data: []byte(vars)},
		"a.root.hcl":         {Data: []byte(root.String())},
	}
	b.ReportAllocs()
	for b.Loop() {
		cfg, diags := Load(fsys, Options{ToolVersion: "0.1.0"})
		if diags.HasErrors() || len(cfg.Sites) != sites {
			b.Fatal(diags)
		}
	}
}

func quotedNames(prefix string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%q, ", fmt.Sprintf("%s%d", prefix, i))
	}
	return b.String()
}
