package lang

import (
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/gocty"
)

// maxParity is the most parity volumes that a set has: the code knows 256
// volumes, and one has data.
const maxParity = 255

// parity evaluates the number of parity volumes of a patch whose volumes have
// volumeSize bytes.
func (f *frame) parity(b *block, volumeSize int64) int {
	v, ok := f.value(b, "parity", cty.Number)
	if !ok {
		return 0
	}
	expr := b.attrs["parity"].Expr
	var n int
	if err := gocty.FromCtyValue(v, &n); err != nil || n < 0 || n > maxParity {
		f.report(at(failure(expr.Range(), "Invalid parity", "The attribute \"parity\" needs a whole number of volumes from 0 to %d.", maxParity), expr, f.ctx))
		return 0
	}
	if n > 0 && volumeSize == 0 && !f.hasErrors() {
		f.report(failure(expr.Range(), "Parity without volumes", "Parity goes beside volumes, and the patch has none. Write volume_size = \"4.7GB\" or another size of media beside it."))
	}
	return n
}
