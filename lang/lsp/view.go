package lsp

import (
	"context"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/creachadair/jrpc2"

	"github.com/flotobuild/flotobuild/lang"
)

// A fileKind says which part of the language a file is written in.
type fileKind int

const (
	otherFile  fileKind = iota // JSON, Compose, templates: no answers but diagnostics
	configFile                 // *.floto.hcl
	rootFile                   // *.root.hcl
	varsFile                   // *.hclvars
)

func kindOf(name string) fileKind {
	switch {
	case strings.HasSuffix(name, ".floto.hcl"):
		return configFile
	case strings.HasSuffix(name, ".root.hcl"):
		return rootFile
	case strings.HasSuffix(name, ".hclvars"):
		return varsFile
	}
	return otherFile
}

// A view is what a request is answered from: the state of the session when it
// came. Nothing in it changes.
type view struct {
	doc      document
	kind     fileKind
	lines    *lineIndex
	files    fs.FS // the project with the open documents
	analysis *lang.Analysis
	snippets bool
	language *lang.Language
}

// view is that of a document; false where it is not open, or not one of the
// project.
func (s *server) view(uri string) (*view, bool) {
	doc, ok := s.docs.get(uri)
	if !ok || doc.name == "" {
		return nil, false
	}
	texts := s.docs.texts()
	s.mu.Lock()
	defer s.mu.Unlock()
	return &view{
		doc:      doc,
		kind:     kindOf(doc.name),
		lines:    newLineIndex(doc.text, s.enc),
		files:    &overlay{s.project.files, texts},
		analysis: s.analysis,
		snippets: s.snippets,
		language: lang.Describe(),
	}, true
}

// at reads the parameters of a request about a position.
func (s *server) viewAt(_ context.Context, req *jrpc2.Request) (*view, cursor, bool, error) {
	var p positionParams
	if err := req.UnmarshalParams(&p); err != nil {
		return nil, cursor{}, false, err
	}
	v, ok := s.view(p.TextDocument.URI)
	if !ok || v.kind == otherFile || len(v.doc.text) > lang.MaxSourceSize {
		return nil, cursor{}, false, nil
	}
	return v, cursorAt(v.doc.text, v.lines.offset(p.Position)), true, nil
}

func (v *view) dir() string { return path.Dir(v.doc.name) }

// outline lists what the document's folder, or a root definition file itself,
// declares.
func (v *view) outline() *lang.Outline {
	if v.kind == rootFile {
		return lang.OutlineRoot(v.files, v.doc.name)
	}
	return lang.OutlineFolder(v.files, v.dir())
}

// blockType finds the description of the innermost of nested blocks, or nil.
func (v *view) blockType(blocks []header) *lang.BlockType {
	b := v.language.Project
	switch v.kind {
	case rootFile:
		b = v.language.Root
	case varsFile:
		b = v.language.Variables
	}
	for i := 0; i < len(blocks); i++ {
		if blocks[i].kind == "dynamic" && b.Dynamic {
			outer := b
			b = lang.DynamicBlock()
			if i+1 < len(blocks) && blocks[i+1].kind == "content" && len(blocks[i].labels) > 0 {
				b = outer.Block(blocks[i].labels[0])
				i++
			}
		} else {
			b = b.Block(blocks[i].kind)
		}
		if b == nil {
			return nil
		}
	}
	return b
}

// images are those that a root definition file can name: of the image sets of
// the root definitions that name the file.
func (v *view) images() []*lang.Image {
	if v.analysis == nil {
		return nil
	}
	var out []*lang.Image
	for _, r := range v.analysis.Config.RootDefinitions {
		if r.File.Name != v.doc.name {
			continue
		}
		for _, im := range r.Images() {
			if !slices.Contains(out, im) {
				out = append(out, im)
			}
		}
	}
	slices.SortFunc(out, func(a, b *lang.Image) int { return strings.Compare(a.Address(), b.Address()) })
	return out
}

// find resolves a reference as far as its last word to what declares it.
func (v *view) find(path []string) *lang.Declaration {
	if len(path) < 2 {
		return nil
	}
	o := v.outline()
	switch path[0] {
	case "var", "local", "root_definition":
		return o.Find(path[0] + "." + path[1])
	case "image_set":
		if len(path) > 3 && path[2] == "image" {
			return o.Find(strings.Join(path[:4], "."))
		}
		return o.Find("image_set." + path[1])
	case "module":
		return v.findOutput(o.Find("module."+path[1]), path[2:])
	}
	return nil
}

// findOutput resolves what stands behind a module: perhaps a key, and perhaps an
// output.
func (v *view) findOutput(module *lang.Declaration, rest []string) *lang.Declaration {
	if module == nil || len(rest) == 0 {
		return module
	}
	inner := lang.OutlineFolder(v.files, module.Source)
	for _, name := range rest[:min(2, len(rest))] {
		if d := inner.Find("output." + name); d != nil {
			return d
		}
	}
	return module
}
