package lang

import (
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// A templateFile is a parsed template file of root definitions.
type templateFile struct {
	expr    hcl.Expression
	refs    []hcl.Traversal
	problem *hcl.Diagnostic // why there is no expr
}

// template reads a template, once for all that name it.
func (p *project) template(at *Path) (*templateFile, *hcl.Diagnostic) {
	t, ok := p.templates[at.Name]
	if !ok {
		t = p.readTemplate(at.Name)
		if p.templates == nil {
			p.templates = make(map[string]*templateFile)
		}
		p.templates[at.Name] = t
	}
	if t.problem == nil {
		return t, nil
	}
	d := *t.problem
	if d.Subject == nil {
		d.Subject = &at.Range
	}
	return nil, &d
}

func (p *project) readTemplate(name string) *templateFile {
	src, err := readLimited(p.fsys, name, MaxSourceSize)
	if err != nil {
		d := fileError(name, err, hcl.Range{})
		d.Subject = nil // the place that names it
		return &templateFile{problem: d}
	}
	p.files[name] = &hcl.File{Bytes: src}
	if !utf8.Valid(src) {
		return &templateFile{problem: failure(fileRange(name), "Invalid template", "The template %q is no UTF-8 text.", name)}
	}
	if d := checkTemplateNesting(name, src); d != nil {
		return &templateFile{problem: d}
	}
	expr, diags := hclsyntax.ParseTemplate(src, name, hcl.InitialPos)
	if diags.HasErrors() {
		diags[0].Extra = syntaxError{}
		return &templateFile{problem: diags[0]}
	}
	return &templateFile{expr: p.meter.native(expr), refs: expr.Variables()}
}

// primitiveText converts a known number or boolean as templates do.
func primitiveText(v cty.Value) string {
	s, err := convert.Convert(v, cty.String)
	if err != nil {
		return ""
	}
	return s.AsString()
}
