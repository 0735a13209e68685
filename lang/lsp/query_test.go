package lsp

import (
	"slices"
	"strings"
	"testing"
)

// openMarked opens a document with a mark at the end of the plant's own text of
// that name, or in place of it, and waits until the project was evaluated.
func openMarked(t *testing.T, uri, src string) (*client, position) {
	t.Helper()
	text, p := marked(t, src)
	c := start(t, plant(), Options{})
	c.initialize()
	c.open(uri, text)
	c.diagnostics(uri, func([]diagnostic) bool { return true })
	return c, p
}

func TestCompletion(t *testing.T) {
	files := plant()
	text, root := string(files["main.floto.hcl"].Data), string(files["roots/plant.root.hcl"].Data)
	for name, c := range map[string]struct {
		uri, src   string
		want, lack []string
	}{
		"top level":            {mainURI, text + "\n▮", []string{"image_set", "site", "variable", "envelope"}, []string{"context"}},
		"image":                {mainURI, text + "image_set \"x\" {\n  image \"y\" {\n    rootfs = \"a\"\n    con▮\n", []string{"context", "precondition", "dynamic"}, []string{"root_definition"}},
		"set already":          {mainURI, strings.Replace(text, "context = \"images/gateway\"", "context = \"images/gateway\"\n    ▮", 1), []string{"args"}, []string{"context"}},
		"patch":                {mainURI, text + "site \"x\" {\n  patch {\n    ▮\n  }\n}\n", []string{"version", "policy", "delta"}, nil},
		"roots":                {mainURI, text + "locals {\n  x = ▮\n}\n", []string{"var", "image_set", "upper", "double"}, []string{"site", "each", "images"}},
		"roots in a site":      {mainURI, text + "site \"x\" {\n  vars = { a = ▮ }\n}\n", []string{"site", "each"}, nil},
		"variables":            {mainURI, text + "locals {\n  x = var.▮", []string{"release", "token"}, []string{"registry"}},
		"locals in a template": {mainURI, text + "locals {\n  x = \"ü😀${local.▮}\"\n}\n", []string{"registry", "other"}, []string{"release"}},
		"image sets":           {mainURI, text + "locals {\n  x = image_set.▮\n}\n", []string{"plant"}, []string{"historian"}},
		"set":                  {mainURI, text + "locals {\n  x = image_set.plant.▮\n}\n", []string{"image", "name"}, nil},
		"images":               {mainURI, text + "locals {\n  x = image_set.plant.image.▮\n}\n", []string{"historian", "gateway"}, nil},
		"root definitions":     {mainURI, text + "site \"x\" {\n  root_definition = root_definition.▮\n}\n", []string{"plant"}, nil},
		"outputs":              {mainURI, text + "locals {\n  x = module.line.▮\n}\n", []string{"port"}, nil},
		"git":                  {mainURI, text + "locals {\n  x = git.▮\n}\n", []string{"commit", "dirty"}, nil},
		"each":                 {mainURI, text + "site \"x\" {\n  name = each.▮\n}\n", []string{"key", "value"}, nil},
		"no each":              {mainURI, text + "locals {\n  x = each.▮\n}\n", nil, []string{"key"}},
		"site name":            {mainURI, text + "site \"x\" {\n  vars = { a = site.▮ }\n}\n", []string{"name"}, []string{"vars"}},
		"types":                {mainURI, text + "variable \"x\" {\n  type = ▮\n}\n", []string{"string", "object"}, []string{"upper"}},
		"choices":              {mainURI, text + "flotobuild {\n  engine {\n    compression = \"▮\"\n  }\n}\n", []string{"zstd", "gzip"}, nil},
		"parent":               {mainURI, text + "site \"x\" {\n  patch {\n    parent = \"▮\n", []string{"latest", "none"}, nil},
		"dynamic kinds":        {mainURI, text + "site \"x\" {\n  dynamic \"▮\" {\n  }\n}\n", []string{"precondition"}, nil},
		"dynamic content":      {mainURI, text + "site \"x\" {\n  dynamic \"precondition\" {\n    content {\n      ▮\n", []string{"condition"}, []string{"for_each"}},
		"dynamic element":      {mainURI, text + "site \"x\" {\n  dynamic \"precondition\" {\n    content {\n      condition = precondition.▮\n", []string{"key", "value"}, nil},
		"comment":              {mainURI, text + "# var.▮\n", nil, []string{"release"}},
		"root blocks":          {rootURI, root + "▮", []string{"container", "document"}, []string{"site"}},
		"root images":          {rootURI, root + "container \"x\" {\n  image = \"▮\"\n}\n", []string{"historian", "gateway"}, []string{"control"}},
		"root hosts":           {rootURI, root + "container \"x\" {\n  host = \"▮\n", []string{"control"}, []string{"historian"}},
		"root depends":         {rootURI, root + "container \"x\" {\n  depends_on = [\"▮\"]\n}\n", []string{"historian"}, []string{"control"}},
		"root dynamic kinds":   {rootURI, root + "dynamic \"▮\" {\n}\n", []string{"container", "host"}, []string{"variable"}},
		"root dynamic element": {rootURI, root + "dynamic \"container\" {\n  content {\n    image = container.▮\n", []string{"key", "value"}, nil},
		"container dynamic":    {rootURI, root + "container \"x\" {\n  dynamic \"▮\" {\n", []string{"config", "healthcheck"}, nil},
		"root references":      {rootURI, root + "host \"x\" {\n  address = ▮\n}\n", []string{"site", "patch", "images"}, []string{"local", "git"}},
		"root site vars":       {rootURI, root + "host \"x\" {\n  address = site.vars.▮\n}\n", []string{"domain"}, nil},
		"root patch":           {rootURI, root + "host \"x\" {\n  address = patch.▮\n}\n", []string{"version", "parent"}, nil},
		"root images by id":    {rootURI, root + "host \"x\" {\n  address = images.▮\n}\n", []string{"historian"}, nil},
		"variables file":       {"file:///p/flotobuild.hclvars", "▮", []string{"release", "token"}, []string{"site"}},
	} {
		t.Run(name, func(t *testing.T) {
			cl, p := openMarked(t, c.uri, c.src)
			var items []completionItem
			cl.call("textDocument/completion", where(c.uri, p), &items)
			var labels []string
			for _, i := range items {
				labels = append(labels, i.Label)
				if i.TextEdit == nil || i.TextEdit.Range.End != p || i.TextEdit.Range.Start.Line != p.Line {
					t.Errorf("%s is put at %+v, and the mark is at %+v", i.Label, i.TextEdit, p)
				}
			}
			for _, w := range c.want {
				if !slices.Contains(labels, w) {
					t.Errorf("%q lacks %q", labels, w)
				}
			}
			for _, l := range c.lack {
				if slices.Contains(labels, l) {
					t.Errorf("%q has %q", labels, l)
				}
			}
		})
	}
}

func TestHover(t *testing.T) {
	files := plant()
	text, root := string(files["main.floto.hcl"].Data), string(files["roots/plant.root.hcl"].Data)
	for name, c := range map[string]struct{ uri, src, want string }{
		"block":           {mainURI, strings.Replace(text, "image_set \"pl", "image_s▮et \"pl", 1), "A group of images"},
		"attribute":       {mainURI, strings.Replace(text, "rootfs", "root▮fs", 1), "becomes the image's only layer"},
		"variable":        {mainURI, strings.Replace(text, "version = var.release", "version = var.rel▮ease", 1), "Version of the release."},
		"value":           {mainURI, strings.Replace(text, "version = var.release", "version = var.rel▮ease", 1), "\"2.1.6\""},
		"origin":          {mainURI, strings.Replace(text, "version = var.release", "version = var.rel▮ease", 1), "Value from: default"},
		"local":           {"file:///p/more.floto.hcl", "locals {\n  other = local.▮registry\n}\n", "registry.example/2.1.6"},
		"local declared":  {mainURI, strings.Replace(text, "  registry", "  regi▮stry", 1), "registry.example/2.1.6"},
		"image":           {mainURI, text + "locals {\n  x = image_set.plant.image.gate▮way\n}\n", "Built from `Dockerfile` in `images/gateway`."},
		"function":        {mainURI, text + "locals {\n  x = upp▮er(\"a\")\n}\n", "upper(str: string) string"},
		"root of a path":  {mainURI, text + "locals {\n  x = gi▮t.commit\n}\n", "git.describe"},
		"member":          {mainURI, text + "locals {\n  x = git.com▮mit\n}\n", "Hash of the work tree's commit"},
		"output":          {mainURI, text + "locals {\n  x = module.line.po▮rt\n}\n", "Port of the line."},
		"root attribute":  {rootURI, strings.Replace(root, "address", "add▮ress", 1), "Name or IP address."},
		"image by name":   {rootURI, strings.Replace(root, "= \"historian\"", "= \"histo▮rian\"", 1), "image_set.plant.image.historian"},
		"variables file":  {"file:///p/flotobuild.hclvars", "rel▮ease = 1\n", "Version of the release."},
		"nothing to tell": {mainURI, text + "▮\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			cl, p := openMarked(t, c.uri, c.src)
			var h *hover
			cl.call("textDocument/hover", where(c.uri, p), &h)
			switch {
			case h == nil && c.want != "", h != nil && c.want == "":
				t.Errorf("got %+v, want %q", h, c.want)
			case h != nil && !strings.Contains(h.Contents.Value, c.want):
				t.Errorf("%q does not tell %q", h.Contents.Value, c.want)
			}
		})
	}
}

func TestDefinition(t *testing.T) {
	files := plant()
	text, root := string(files["main.floto.hcl"].Data), string(files["roots/plant.root.hcl"].Data)
	for name, c := range map[string]struct{ uri, src, to, want string }{
		"variable":        {mainURI, strings.Replace(text, "version = var.release", "version = var.rel▮ease", 1), mainURI, `variable "release"`},
		"local elsewhere": {"file:///p/more.floto.hcl", "locals {\n  größe = \"😀${local.▮registry}\"\n}\n", mainURI, `registry`},
		"image set":       {mainURI, strings.Replace(text, "[image_set.plant]", "[image_set.pla▮nt]", 1), mainURI, `image_set "plant"`},
		"image":           {mainURI, text + "locals {\n  x = image_set.plant.image.gate▮way\n}\n", mainURI, `image "gateway"`},
		"image by index":  {mainURI, text + "locals {\n  x = image_set.plant.image.gateway[\"a\"].na▮me\n}\n", mainURI, `image "gateway"`},
		"root definition": {mainURI, strings.Replace(text, "= root_definition.plant", "= root_definition.▮plant", 1), mainURI, `root_definition "plant"`},
		"module":          {mainURI, text + "locals {\n  x = module.li▮ne\n}\n", mainURI, `module "line"`},
		"output":          {mainURI, text + "locals {\n  x = module.line.po▮rt\n}\n", "file:///p/modules/line/line.floto.hcl", `output "port"`},
		"function":        {mainURI, text + "locals {\n  x = dou▮ble(1)\n}\n", mainURI, `function "double"`},
		"image by name":   {rootURI, strings.Replace(root, "= \"historian\"", "= \"histo▮rian\"", 1), mainURI, `image "historian"`},
		"host by name":    {rootURI, strings.Replace(root, "= \"control\"", "= \"con▮trol\"", 1), rootURI, `host "control"`},
		"variables file":  {"file:///p/flotobuild.hclvars", "rel▮ease = \"1.0.0\"\n", mainURI, `variable "release"`},
		"half typed":      {mainURI, text + "locals {\n  x = [var.rel▮ease, \n", mainURI, `variable "release"`},
		"unknown":         {mainURI, text + "locals {\n  x = var.non▮e\n}\n", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			cl, p := openMarked(t, c.uri, c.src)
			var to []location
			cl.call("textDocument/definition", where(c.uri, p), &to)
			if c.to == "" {
				if len(to) > 0 {
					t.Errorf("got %+v", to)
				}
				return
			}
			if len(to) != 1 || to[0].URI != c.to {
				t.Fatalf("got %+v, want a place in %s", to, c.to)
			}
			open, _ := marked(t, c.src)
			target := open
			if c.to != c.uri {
				target = string(plant()[strings.TrimPrefix(c.to, "file:///p/")].Data)
			}
			l := newLineIndex([]byte(target), utf16Encoding)
			if got := target[l.offset(to[0].Range.Start):l.offset(to[0].Range.End)]; got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestSymbolsAndFormatting(t *testing.T) {
	c, _ := openMarked(t, mainURI, "locals {\n  a=1\n  größe = 2\n}\nimage_set \"p\" {\n  image \"i\" { rootfs = \"a\" }\n}\n▮")
	var symbols []documentSymbol
	c.call("textDocument/documentSymbol", where(mainURI, position{}), &symbols)
	var names []string
	for _, s := range symbols {
		names = append(names, s.Name)
		for _, k := range s.Children {
			names = append(names, k.Name)
		}
	}
	if want := []string{"locals", "a", "größe", "image_set p", "image i"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	var edits []textEdit
	c.call("textDocument/formatting", where(mainURI, position{}), &edits)
	if len(edits) != 1 || !strings.Contains(edits[0].NewText, "  a     = 1\n") {
		t.Errorf("got %+v", edits)
	}
	c.notify("textDocument/didChange", map[string]any{
		"textDocument":   map[string]any{"uri": mainURI, "version": 2},
		"contentChanges": []map[string]any{{"text": "locals {\n a="}},
	})
	c.call("textDocument/formatting", where(mainURI, position{}), &edits)
	if len(edits) != 0 {
		t.Errorf("a broken document is formatted: %+v", edits)
	}
}

// TestOddURIs opens documents whose names need escapes, and such that are not of
// the project.
func TestOddURIs(t *testing.T) {
	files := plant()
	delete(files, "more.floto.hcl")
	c := start(t, files, Options{Dir: "/Größe 1"})
	c.initialize()
	uri := "file:///Gr%C3%B6%C3%9Fe%201/%C3%BC%20b.floto.hcl"
	c.open(uri, "locals {\n  x = local.registr\n}\n")
	c.diagnostics(uri, some("registr"))
	var to []location
	c.notify("textDocument/didChange", map[string]any{
		"textDocument":   map[string]any{"uri": uri, "version": 2},
		"contentChanges": []map[string]any{{"text": "locals {\n  x = local.registry\n}\n"}},
	})
	c.diagnostics(uri, none)
	c.call("textDocument/definition", where(uri, position{1, 14}), &to)
	if len(to) != 1 || to[0].URI != "file:///Gr%C3%B6%C3%9Fe%201/main.floto.hcl" {
		t.Errorf("got %+v", to)
	}
	for _, other := range []string{"untitled:1", "file:///elsewhere/a.floto.hcl", "file:///Gr%C3%B6%C3%9Fe%2010/a.floto.hcl", "file:///%00", "::"} {
		c.open(other, "site \"a\" {\n")
		if m := c.request("textDocument/hover", where(other, position{})); m.Error != nil || string(m.Result) != "null" {
			t.Errorf("%s: %+v", other, m)
		}
	}
	c.finish()
}
