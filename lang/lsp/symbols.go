package lsp

import (
	"context"
	"slices"
	"strings"

	"github.com/creachadair/jrpc2"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/flotobuild/flotobuild/lang"
)

// symbols answers textDocument/documentSymbol.
func (s *server) symbols(_ context.Context, req *jrpc2.Request) (any, error) {
	var p positionParams
	if err := req.UnmarshalParams(&p); err != nil {
		return nil, err
	}
	v, ok := s.view(p.TextDocument.URI)
	if !ok {
		return nil, nil
	}
	return v.bodySymbols(parse(v.doc), false), nil
}

// parse reads a document as far as it can be read. It gives nil for what the
// language refuses to read, such as brackets nested a thousand deep.
func parse(d document) *hclsyntax.Body {
	if kindOf(d.name) == otherFile || !lang.Readable(d.text, d.name) {
		return nil
	}
	f, _ := hclsyntax.ParseConfig(d.text, d.name, hcl.InitialPos)
	if f == nil {
		return nil
	}
	body, _ := f.Body.(*hclsyntax.Body)
	return body
}

func (v *view) bodySymbols(b *hclsyntax.Body, attributes bool) []documentSymbol {
	out := []documentSymbol{}
	if b == nil {
		return out
	}
	for _, c := range b.Blocks {
		name := strings.Join(append([]string{c.Type}, c.Labels...), " ")
		out = append(out, documentSymbol{
			Name: name, Kind: objectSymbol,
			Range: v.lines.textRange(c.Range()), SelectionRange: v.lines.textRange(c.DefRange()),
			Children: v.bodySymbols(c.Body, c.Type == "locals"),
		})
	}
	if attributes || v.kind == varsFile {
		for _, a := range b.Attributes {
			out = append(out, documentSymbol{
				Name: a.Name, Kind: variableSymbol,
				Range: v.lines.textRange(a.Range()), SelectionRange: v.lines.textRange(a.NameRange),
			})
		}
	}
	slices.SortFunc(out, func(x, y documentSymbol) int {
		if x.Range.Start.Line != y.Range.Start.Line {
			return x.Range.Start.Line - y.Range.Start.Line
		}
		return x.Range.Start.Character - y.Range.Start.Character
	})
	return out
}

// presentIn lists the attributes and blocks of the body around an offset.
func presentIn(d document, offset int) []string {
	b := parse(d)
	if b == nil {
		return nil
	}
	for {
		i := slices.IndexFunc(b.Blocks, func(c *hclsyntax.Block) bool {
			r := c.Body.SrcRange
			return r.Start.Byte < offset && offset < r.End.Byte
		})
		if i < 0 {
			break
		}
		b = b.Blocks[i].Body
	}
	var out []string
	for name := range b.Attributes {
		out = append(out, name)
	}
	for _, c := range b.Blocks {
		out = append(out, c.Type)
	}
	return out
}

// formatting answers textDocument/formatting. A document with syntax errors
// stays as it is.
func (s *server) formatting(_ context.Context, req *jrpc2.Request) (any, error) {
	var p positionParams
	if err := req.UnmarshalParams(&p); err != nil {
		return nil, err
	}
	v, ok := s.view(p.TextDocument.URI)
	if !ok || v.kind == otherFile {
		return nil, nil
	}
	out, diags := lang.Format(v.doc.text, v.doc.name)
	if diags.HasErrors() || string(out) == string(v.doc.text) {
		return []textEdit{}, nil
	}
	return []textEdit{{Range: v.lines.span(0, len(v.doc.text)), NewText: string(out)}}, nil
}
