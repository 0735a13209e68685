package lsp

import (
	"context"
	"io"
	"io/fs"

	"github.com/creachadair/jrpc2"
	"github.com/hashicorp/hcl/v2"

	"github.com/flotobuild/flotobuild/lang"
)

// definition answers textDocument/definition.
func (s *server) definition(ctx context.Context, req *jrpc2.Request) (any, error) {
	v, c, ok, err := s.viewAt(ctx, req)
	if err != nil || !ok {
		return nil, err
	}
	out := []location{}
	for _, rng := range v.define(c) {
		text, err := readText(v.files, rng.Filename)
		if err != nil || rng.End.Byte > len(text) {
			continue // the file has changed since the evaluation
		}
		out = append(out, location{s.uriOf(rng.Filename), newLineIndex(text, v.lines.enc).textRange(rng)})
	}
	return out, nil
}

// define finds the blocks that declare what the cursor is on.
func (v *view) define(c cursor) []hcl.Range {
	switch {
	case c.kind == text:
		b := v.blockType(c.blocks)
		if b == nil {
			return nil
		}
		return v.defineName(namedKind(v.kind, b.Name, c.attr), c.word)
	case c.kind == item && v.kind == varsFile:
		return found(v.outline().Find("var." + c.word))
	case c.kind != expression:
		return nil
	case c.called && v.kind == configFile:
		return found(v.outline().Find("function." + c.word))
	case v.kind == rootFile && len(c.path) == 2 && c.path[0] == "images":
		return v.defineName("image", c.word)
	}
	return found(v.find(c.path))
}

// defineName finds the blocks with a name that a root definition file writes as
// text.
func (v *view) defineName(kind, name string) []hcl.Range {
	if kind != "image" {
		return found(v.outline().Find(kind + "." + name))
	}
	var out []hcl.Range
	for _, im := range v.named(name) {
		out = append(out, im.Range)
	}
	return out
}

func found(d *lang.Declaration) []hcl.Range {
	if d == nil {
		return nil
	}
	return []hcl.Range{d.Range}
}

// readText reads a file of configuration.
func readText(files fs.FS, name string) ([]byte, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, lang.MaxSourceSize))
}
