package lang

import "github.com/hashicorp/hcl/v2"

// A jsonBody is a body of a JSON file, with the meter in its expressions.
type jsonBody struct {
	hcl.Body
	meter *meter
}

// Content implements hcl.Body.
func (b jsonBody) Content(schema *hcl.BodySchema) (*hcl.BodyContent, hcl.Diagnostics) {
	content, diags := b.Body.Content(schema)
	return b.content(content), diags
}

// PartialContent implements hcl.Body.
func (b jsonBody) PartialContent(schema *hcl.BodySchema) (*hcl.BodyContent, hcl.Body, hcl.Diagnostics) {
	content, rest, diags := b.Body.PartialContent(schema)
	return b.content(content), jsonBody{rest, b.meter}, diags
}

// JustAttributes implements hcl.Body.
func (b jsonBody) JustAttributes() (hcl.Attributes, hcl.Diagnostics) {
	attrs, diags := b.Body.JustAttributes()
	b.attributes(attrs)
	return attrs, diags
}

func (b jsonBody) content(c *hcl.BodyContent) *hcl.BodyContent {
	b.attributes(c.Attributes)
	for _, block := range c.Blocks {
		block.Body = jsonBody{block.Body, b.meter}
	}
	return c
}

func (b jsonBody) attributes(attrs hcl.Attributes) {
	for _, a := range attrs {
		a.Expr = &jsonExpression{Expression: a.Expr, meter: b.meter}
	}
}
