package lsp

import (
	"context"
	"slices"
	"strings"

	"github.com/creachadair/jrpc2"

	"github.com/flotobuild/flotobuild/lang"
)

// completion answers textDocument/completion.
func (s *server) completion(ctx context.Context, req *jrpc2.Request) (any, error) {
	v, c, ok, err := s.viewAt(ctx, req)
	if err != nil || !ok {
		return nil, err
	}
	items := v.complete(c)
	edit := v.lines.span(c.start, c.end)
	for i := range items {
		items[i].TextEdit.Range = edit
	}
	return items, nil
}

// complete lists what may stand at the cursor.
func (v *view) complete(c cursor) []completionItem {
	switch c.kind {
	case item:
		return v.completeItem(c)
	case label:
		return v.completeLabel(c)
	case text:
		return v.completeText(c)
	case expression:
		if len(c.path) > 1 {
			return v.completeReference(c)
		}
		return v.completeExpression(c)
	}
	return []completionItem{}
}

func newItem(label string, kind int, detail, doc string) completionItem {
	i := completionItem{Label: label, Kind: kind, Detail: detail, TextEdit: &textEdit{NewText: label}, InsertTextFormat: plainInsert}
	if doc != "" {
		i.Documentation = &markup{"markdown", doc}
	}
	return i
}

// snippet gives an item a text with places to fill in, where the editor knows
// them.
func (v *view) snippet(i completionItem, snippet, plain string) completionItem {
	i.TextEdit.NewText = plain
	if v.snippets {
		i.TextEdit.NewText, i.InsertTextFormat = snippet, snippetInsert
	}
	return i
}

// completeItem lists attributes and blocks that may be added to a body.
func (v *view) completeItem(c cursor) []completionItem {
	out := []completionItem{}
	b := v.blockType(c.blocks)
	if b == nil {
		return out
	}
	if v.kind == varsFile {
		return v.completeVariables()
	}
	present := presentIn(v.doc, c.start)
	for _, a := range b.Attributes {
		if slices.Contains(present, a.Name) && a.Name != c.word {
			continue
		}
		detail := a.Type
		if a.Required {
			detail += ", required"
		}
		i := newItem(a.Name, propertyItem, detail, attributeDoc(&a))
		out = append(out, v.snippet(i, a.Name+" = $0", a.Name+" = "))
	}
	for _, n := range b.Blocks {
		if n.Once && slices.Contains(present, n.Name) && n.Name != c.word {
			continue
		}
		out = append(out, v.blockItem(n))
	}
	if b.Dynamic {
		out = append(out, v.blockItem(lang.DynamicBlock()))
	}
	return out
}

func (v *view) blockItem(b *lang.BlockType) completionItem {
	text, plain := b.Name, b.Name
	for n, l := range b.Labels {
		text += " \"${" + string(rune('1'+n)) + ":" + l + "}\""
		plain += " \"\""
	}
	return v.snippet(newItem(b.Name, structItem, "block", b.Doc), text+" {\n\t$0\n}", plain+" {\n}")
}

func (v *view) completeVariables() []completionItem {
	out := []completionItem{}
	for _, d := range v.outline().Declarations {
		if d.Kind == "variable" {
			out = append(out, v.snippet(newItem(d.Name, variableItem, "variable", d.Doc), d.Name+" = $0", d.Name+" = "))
		}
	}
	return out
}

// completeLabel lists kinds for dynamic blocks.
func (v *view) completeLabel(c cursor) []completionItem {
	out := []completionItem{}
	if len(c.blocks) == 0 || c.blocks[len(c.blocks)-1].kind != "dynamic" {
		return out
	}
	if outer := v.blockType(c.blocks[:len(c.blocks)-1]); outer != nil && outer.Dynamic {
		for _, b := range outer.Blocks {
			if !b.Fixed {
				out = append(out, newItem(b.Name, structItem, "block", b.Doc))
			}
		}
	}
	return out
}

// completeText lists the texts that an attribute may have.
func (v *view) completeText(c cursor) []completionItem {
	out := []completionItem{}
	b := v.blockType(c.blocks)
	if b == nil {
		return out
	}
	if a := b.Attribute(c.attr); a != nil {
		for _, t := range a.Values {
			out = append(out, newItem(t, valueItem, "", ""))
		}
	}
	if b.Name == "patch" && c.attr == "parent" {
		return append(out, newItem("latest", valueItem, "the newest patch at hand", ""), newItem("none", valueItem, "an initial patch", ""))
	}
	kind := namedKind(v.kind, b.Name, c.attr)
	if kind == "image" {
		for _, im := range v.images() {
			out = append(out, newItem(im.Name, valueItem, im.Address(), ""))
		}
		return out
	}
	for _, d := range v.outline().Declarations {
		if d.Kind == kind {
			out = append(out, newItem(d.Name, valueItem, d.Kind, ""))
		}
	}
	return out
}

// namedKind is the kind of block whose names stand in an attribute of a root
// definition file, or nothing.
func namedKind(file fileKind, block, attr string) string {
	if file != rootFile || block != "container" {
		return ""
	}
	return map[string]string{"image": "image", "host": "host", "depends_on": "container"}[attr]
}

// completeExpression lists what an expression may begin with.
func (v *view) completeExpression(c cursor) []completionItem {
	out := []completionItem{}
	b := v.blockType(c.blocks)
	if v.kind == varsFile {
		return out
	}
	if b != nil && b.Attribute(c.attr) != nil && b.Attribute(c.attr).Type == "type" {
		for _, t := range []string{"any", "bool", "list", "map", "number", "object", "optional", "set", "string", "tuple"} {
			out = append(out, newItem(t, keywordItem, "type", ""))
		}
		return out
	}
	for _, r := range v.roots(c) {
		out = append(out, newItem(r, variableItem, "reference", v.rootDoc(r)))
	}
	for _, f := range v.language.Functions {
		out = append(out, v.functionItem(f.Name, f.Signature(), f.Doc))
	}
	if v.kind == configFile {
		for _, d := range v.outline().Declarations {
			if d.Kind == "function" {
				out = append(out, v.functionItem(d.Name, "function of the project", ""))
			}
		}
	}
	return out
}

func (v *view) functionItem(name, detail, doc string) completionItem {
	i := newItem(name, functionItem, detail, doc)
	i.SortText = "z" + name // behind the references
	return v.snippet(i, name+"($0)", name)
}

// roots lists what references at the cursor begin with.
func (v *view) roots(c cursor) []string {
	var out []string
	for _, r := range v.language.References {
		root, _, _ := strings.Cut(r.Name, ".")
		if r.Root == (v.kind == rootFile) && !slices.Contains(out, root) && v.known(root, c) {
			out = append(out, root)
		}
	}
	for _, b := range c.blocks {
		if b.kind == "dynamic" && len(b.labels) > 0 && !slices.Contains(out, b.labels[0]) {
			out = append(out, b.labels[0])
		}
	}
	return out
}

// known tells whether a name that only some blocks know is known at the cursor.
func (v *view) known(root string, c cursor) bool {
	if v.kind != configFile || root != "site" && root != "each" {
		return true
	}
	return slices.ContainsFunc(c.blocks, func(h header) bool {
		return h.kind == "site" || root == "each" && (h.kind == "image" || h.kind == "module")
	})
}
