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
