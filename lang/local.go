package lang

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// A localDecl is one attribute of a locals block.
type localDecl struct{ attr *hcl.Attribute }

func (d *localDecl) evaluate(f *frame) cty.Value {
	v, diags := d.attr.Expr.Value(f.ctx)
	f.report(diags...)
	if diags.HasErrors() {
		return cty.DynamicVal
	}
	return v
}
