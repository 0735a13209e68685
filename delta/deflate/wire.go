package deflate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// recipeVersion is the first byte of a recipe.
const recipeVersion = 1

// MarshalBinary returns the recipe's form for storing, a few bytes for each
// compressed stream; see the format in the package's description.
func (r *Recipe) MarshalBinary() ([]byte, error) {
	b := binary.AppendUvarint([]byte{recipeVersion}, uint64(len(r.parts)))
	for _, p := range r.parts {
		b = append(b, p.kind)
		switch p.kind {
		case partLiteral:
			b = binary.AppendUvarint(b, uint64(len(p.literal)))
			b = append(b, p.literal...)
		case partCopy:
			b = binary.AppendUvarint(b, uint64(p.length))
		case partStream:
			b = append(b, p.method.encoder, p.method.level, p.method.memLevel)
			b = binary.AppendUvarint(b, uint64(p.length))
		}
	}
	return b, nil
}

// ParseRecipe reads a recipe that MarshalBinary made. It takes no more memory
// than a small multiple of b, whatever b says, and keeps no reference to it.
func ParseRecipe(b []byte) (*Recipe, error) {
	if len(b) == 0 || b[0] != recipeVersion {
		return nil, errors.New("cannot read a recipe: it is not of version 1")
	}
	d := decoder{rest: b[1:]}
	r := &Recipe{}
	total := int64(0)
	for n := d.number(); n > 0 && d.err == nil; n-- {
		p := d.part()
		if total += p.length; total < 0 {
			d.fail("its content is too long")
		}
		r.parts = append(r.parts, p)
	}
	if d.err == nil && len(d.rest) > 0 {
		d.fail("bytes follow its end")
	}
	if d.err != nil {
		return nil, d.err
	}
	return r, nil
}

// A decoder takes a recipe apart. The first error stays.
type decoder struct {
	rest []byte
	err  error
}

func (d *decoder) fail(why string) {
	if d.err == nil {
		d.err = fmt.Errorf("cannot read a recipe: %s", why)
	}
	d.rest = nil
}

func (d *decoder) part() part {
	p := part{kind: d.byte()}
	switch p.kind {
	case partLiteral:
		p.literal = d.bytes(d.number())
	case partCopy:
		p.length = int64(d.number())
	case partStream:
		p.method = method{d.byte(), d.byte(), d.byte()}
		p.length = int64(d.number())
	case partTrailer:
	default:
		d.fail("it has a part of an unknown kind")
	}
	return p
}

func (d *decoder) byte() uint8 {
	b := d.bytes(1)
	if len(b) == 0 {
		return 0
	}
	return b[0]
}

func (d *decoder) bytes(n uint64) []byte {
	if n > uint64(len(d.rest)) {
		d.fail("it is cut off")
		return nil
	}
	b := append([]byte(nil), d.rest[:n]...)
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) number() uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 || v > math.MaxInt64 {
		d.fail("a number is cut off or too large")
		return 0
	}
	d.rest = d.rest[n:]
	return v
}
