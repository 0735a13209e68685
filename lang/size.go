package lang

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strings"
)

// sizeLiteral is a number with a unit. More digits than that are no size.
var sizeLiteral = regexp.MustCompile(`^([0-9]{1,19}(?:\.[0-9]{1,18})?) ?([A-Za-z]*)$`)

// sizeUnits are the units in bytes by their lower-case names: decimal ones, as
// media are sold, and binary ones with an i.
var sizeUnits = map[string]int64{
	"": 1, "b": 1,
	"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
	"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
}

// ParseSize reads a size such as "4.7GB", "650 MiB" or "1000" and returns the
// bytes: GB is 10⁹ bytes and GiB 2³⁰. The size is positive, and a whole number
// of bytes that an int64 holds.
func ParseSize(text string) (int64, error) {
	m := sizeLiteral.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("%q is no size", text)
	}
	unit, ok := sizeUnits[strings.ToLower(m[2])]
	if !ok {
		return 0, fmt.Errorf("%q is no unit: there are B, kB, MB, GB, TB and KiB, MiB, GiB, TiB", m[2])
	}
	n, ok := new(big.Rat).SetString(m[1])
	if !ok {
		return 0, fmt.Errorf("%q is no number", m[1])
	}
	n.Mul(n, new(big.Rat).SetInt64(unit))
	switch {
	case n.Sign() <= 0:
		return 0, errors.New("a size must be more than nothing")
	case !n.IsInt():
		return 0, fmt.Errorf("%q is no whole number of bytes", text)
	case !n.Num().IsInt64():
		return 0, fmt.Errorf("%q is larger than any file", text)
	}
	return n.Num().Int64(), nil
}

// size evaluates an attribute that holds a size; 0 where it is not set.
func (f *frame) size(b *block, name string) int64 {
	v, ok := f.text(b, name)
	if !ok {
		return 0
	}
	n, err := ParseSize(v)
	if err != nil {
		expr := b.attrs[name].Expr
		f.report(at(failure(expr.Range(), "Invalid size", "%s. Write a number with a unit, such as 4.7GB or 650MiB.", capital(err.Error())), expr, f.ctx))
	}
	return n
}
