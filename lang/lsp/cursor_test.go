package lsp

import (
	"fmt"
	"strings"
	"testing"
)

// TestCursor finds what stands at the mark, in documents that are complete and
// in half-written ones.
func TestCursor(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"|", "item  [] "},
		{"ima|ge_set", "item ima [] "},
		{"image_set \"a\" {\n  |\n}\n", "item  [image_set] "},
		{"image_set \"a\" {\n  im|", "item im [image_set] "},
		{"image_set \"a\" {\n  image \"b\" {\n    context = \".\" # note\n    |\n", "item  [image_set image] "},
		{"image_set \"a\" {\n  image \"b\" {\n  }\n  |\n", "item  [image_set] "},
		{"locals {\n  a = var.|", "expression  [locals] a var."},
		{"locals {\n  a = var.re|lease\n}", "expression re [locals] a var.re"},
		{"locals {\n  a = [for x in local.l : upper(x.|)]\n}", "expression  [locals] a x."},
		{"locals {\n  a = { b = { c = image_set.p.image.h| } }\n}", "expression h [locals] a image_set.p.image.h"},
		{"locals {\n  a = {\n    b = 1\n    c = var.|\n  }\n}", "expression  [locals] a var."},
		{"locals {\n  a = {\n    b = 1\n  }\n  c| = 2\n}", "item c [locals] "},
		{"locals {\n  a = image_set.p.image.l[\"x\"].na|me\n}", "expression na [locals] a image_set.p.image.l.x.na"},
		{"locals {\n  a = \"x ${var.|} y\"\n}", "expression  [locals] a var."},
		{"locals {\n  a = \"x |y\"\n}", "text x [locals] a"},
		{"site \"s\" {\n  patch {\n    parent = \"|\n", "text  [site patch] parent"},
		{"site \"s\" {\n  dynamic \"|\" {}\n}", "label  [site dynamic] "},
		{"locals {\n  a = 1 # var.|\n}", "nothing  [] "},
		{"locals {\n  a = <<EOT\nvar.|\nEOT\n}", "nothing  [locals] a"},
		{"locals {\n  a = <<EOT\n${var.|}\nEOT\n}", "expression  [locals] a var."},
		{"locals {\n  a = f(1).|\n}", "expression  [locals] a "},
		{"locals {\n  é = \"ü\"\n  b = var.|\n}", "expression  [locals] b var."},
		{"locals {\n  a = foo(\n  b = |", "expression  [locals] a "},
		{"}}}|", ""},
	} {
		offset := strings.Index(c.src, "|")
		got := describe(cursorAt([]byte(strings.Replace(c.src, "|", "", 1)), offset), offset)
		if c.want != "" && got != c.want {
			t.Errorf("%q:\n got %q\nwant %q", c.src, got, c.want)
		}
	}
}

func describe(c cursor, offset int) string {
	kinds := map[cursorKind]string{nothing: "nothing", item: "item", label: "label", expression: "expression", text: "text"}
	var blocks []string
	for _, b := range c.blocks {
		blocks = append(blocks, b.kind)
	}
	word := c.word[:min(len(c.word), max(0, offset-c.start))]
	out := fmt.Sprintf("%s %s %v %s", kinds[c.kind], strings.TrimSpace(word), blocks, c.attr)
	if c.kind == expression {
		path := append(c.path[:max(0, len(c.path)-1):max(0, len(c.path)-1)], word)
		out += " " + strings.Join(path, ".")
	}
	return out
}

func FuzzCursor(f *testing.F) {
	f.Add("locals {\n  a = \"x ${var.b} y\"\n}", 20)
	f.Add("site \"s\" {\n  patch {\n", 14)
	f.Add("a = <<E\n${[{(\"", 9)
	f.Fuzz(func(t *testing.T, src string, offset int) {
		c := cursorAt([]byte(src), offset)
		if c.start > c.end {
			t.Errorf("the word ends before it begins: %+v", c)
		}
	})
}
