package lsp

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/creachadair/jrpc2"

	"github.com/flotobuild/flotobuild/lang"
)

// hover answers textDocument/hover.
func (s *server) hover(ctx context.Context, req *jrpc2.Request) (any, error) {
	v, c, ok, err := s.viewAt(ctx, req)
	if err != nil || !ok || c.word == "" {
		return nil, err
	}
	doc := v.explain(c)
	if doc == "" {
		return nil, nil
	}
	return hover{Contents: markup{"markdown", doc}, Range: v.lines.span(c.start, c.end)}, nil
}

// explain describes the word at the cursor in Markdown.
func (v *view) explain(c cursor) string {
	switch c.kind {
	case item:
		return v.explainItem(c)
	case text:
		b := v.blockType(c.blocks)
		if b != nil && namedKind(v.kind, b.Name, c.attr) == "image" {
			return v.explainImages(v.named(c.word))
		}
	case expression:
		switch {
		case c.called:
			return v.explainFunction(c.word)
		case len(c.path) == 1:
			return v.rootDoc(c.word)
		case v.kind == rootFile && c.path[0] == "images":
			return v.explainImages(v.named(c.word))
		}
		return v.explainReference(c)
	}
	return ""
}

// explainItem describes an attribute or a block where it is set.
func (v *view) explainItem(c cursor) string {
	b := v.blockType(c.blocks)
	if b == nil {
		return ""
	}
	if v.kind == varsFile {
		if d := v.outline().Find("var." + c.word); d != nil {
			return d.Doc
		}
		return ""
	}
	if a := b.Attribute(c.word); a != nil {
		return attributeDoc(a)
	}
	if n := b.Block(c.word); n != nil {
		return n.Doc
	}
	if c.word == "dynamic" && b.Dynamic {
		return lang.DynamicBlock().Doc
	}
	if len(c.blocks) > 0 && c.blocks[len(c.blocks)-1].kind == "locals" {
		return v.explainValue("local." + c.word)
	}
	return ""
}

func attributeDoc(a *lang.Attribute) string {
	out := fmt.Sprintf("`%s`: %s", a.Name, a.Type)
	if a.Required {
		out += ", required"
	}
	if a.Default != "" {
		out += fmt.Sprintf(", default %s", a.Default)
	}
	out += "\n\n" + a.Doc
	if a.Values != nil {
		out += " One of `" + strings.Join(a.Values, "`, `") + "`."
	}
	return out
}

func (v *view) explainFunction(name string) string {
	for _, f := range v.language.Functions {
		if f.Name == name {
			return fenced(f.Signature()) + "\n\n" + f.Doc
		}
	}
	return ""
}

// explainReference describes what a reference leads to.
func (v *view) explainReference(c cursor) string {
	d := v.find(c.path)
	if d == nil {
		for _, r := range v.language.References {
			if r.Name == strings.Join(c.path, ".") && r.Root == (v.kind == rootFile) {
				return r.Doc
			}
		}
		return ""
	}
	var parts []string
	if d.Kind == "image" {
		parts = append(parts, v.explainImages(v.labelled(d)))
	} else {
		parts = append(parts, fenced(d.Address), d.Doc, v.explainOrigin(d), v.explainValue(d.Address))
	}
	return joinParts(parts)
}

// explainOrigin says where a variable's value comes from.
func (v *view) explainOrigin(d *lang.Declaration) string {
	if v.analysis == nil || d.Kind != "variable" || v.kind != configFile || v.dir() != "." {
		return ""
	}
	for _, x := range v.analysis.Config.Variables {
		if x.Name == d.Name && x.Origin != "" {
			return "Value from: " + x.Origin
		}
	}
	return ""
}

func (v *view) explainValue(address string) string {
	typ, value, ok := v.value(address)
	switch {
	case !ok || strings.HasPrefix(address, "image_set.") || strings.HasPrefix(address, "root_definition."):
		return ""
	case typ == "":
		return fenced(value)
	}
	return fenced(value) + "\n\n" + typ
}

// named lists the images that a root definition file knows by a name.
func (v *view) named(name string) []*lang.Image {
	var out []*lang.Image
	for _, im := range v.images() {
		if im.Name == name {
			out = append(out, im)
		}
	}
	return out
}

// labelled lists the images that a block declares.
func (v *view) labelled(d *lang.Declaration) []*lang.Image {
	var out []*lang.Image
	if v.analysis == nil {
		return out
	}
	for _, set := range v.analysis.Config.ImageSets {
		for _, im := range set.Images {
			label := im.Label
			if label == "" {
				label = im.Name
			}
			if "image_set."+im.Set+".image."+label == d.Address && path.Dir(im.Range.Filename) == v.dir() {
				out = append(out, im)
			}
		}
	}
	return out
}

// maxImages bounds how many images of one block are described.
const maxImages = 8

func (v *view) explainImages(all []*lang.Image) string {
	var parts []string
	for n, im := range all {
		if n == maxImages {
			parts = append(parts, fmt.Sprintf("and %d more", len(all)-n))
			break
		}
		parts = append(parts, fenced(im.Address())+"\n\n"+originOf(im))
	}
	return joinParts(parts)
}

func originOf(im *lang.Image) string {
	switch {
	case im.Build != nil:
		return fmt.Sprintf("Built from `%s` in `%s`.", im.Build.Dockerfile, im.Build.Context.Name)
	case im.Rootfs != nil:
		return fmt.Sprintf("One layer from `%s`.", im.Rootfs.Name)
	case im.Source != nil:
		return fmt.Sprintf("Carried as it is from `%s`.", im.Source.Ref)
	}
	return ""
}

// fenced writes a piece of configuration in Markdown. The fence is longer than
// any within.
func fenced(src string) string {
	fence := "```"
	for strings.Contains(src, fence) {
		fence += "`"
	}
	return fence + "hcl\n" + src + "\n" + fence
}

func joinParts(parts []string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, "\n\n")
}
