package lang

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Before the build nothing is made of the text of some attributes: whether they
// are right depends on the types of what they refer to alone, if they do no more
// than put texts, lists and maps together.

// textOnly are such attributes of containers.
var textOnly = map[string]bool{"command": true, "entrypoint": true, "env": true}

// isPlain tells expressions that put references and literals together: types
// that they can be evaluated for once they can be evaluated for always.
func isPlain(expr hcl.Expression) bool {
	switch e := expr.(type) {
	case interface{ UnwrapExpression() hcl.Expression }: // metered, or with the iterator of a dynamic block
		return isPlain(e.UnwrapExpression())
	case *hclsyntax.LiteralValueExpr, *hclsyntax.ScopeTraversalExpr:
		return true
	case *hclsyntax.ParenthesesExpr:
		return isPlain(e.Expression)
	case *hclsyntax.TemplateWrapExpr:
		return isPlain(e.Wrapped)
	case *hclsyntax.TemplateExpr:
		return allPlain(e.Parts)
	case *hclsyntax.TupleConsExpr:
		return allPlain(e.Exprs)
	case *hclsyntax.ObjectConsExpr:
		for _, i := range e.Items {
			if len(i.KeyExpr.Variables()) > 0 || !isPlain(i.ValueExpr) {
				return false
			}
		}
		return true
	}
	return false
}

func allPlain(exprs []hclsyntax.Expression) bool {
	for _, e := range exprs {
		if !isPlain(e) {
			return false
		}
	}
	return true
}

// sameShape tells whether plain expressions take one value as well as the other.
func sameShape(a, b cty.Value) bool {
	if a == cty.NilVal || b == cty.NilVal {
		return false
	}
	t := a.Type()
	return t.IsPrimitiveType() && b.Type() == t && a.IsNull() == b.IsNull() && a.IsKnown() == b.IsKnown() && !a.IsMarked() && !b.IsMarked()
}
