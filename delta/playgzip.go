package delta

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/flotobuild/flotobuild/delta/deflate"
)

// A packedFile is a gzip file or a zlib stream that is to be made.
type packedFile struct {
	form, length int64
	recipe       *deflate.Recipe
	size         int64 // of what it holds
	base, old    int64 // where the one stands that it is like, and its length
	parts        []heldPart
}

// A heldPart is an operation that makes a part of what is held.
type heldPart struct {
	kind         byte
	base, length int64
}

// maxHeld bounds the parts of one file that are kept before it is made.
const maxHeld = 1 << 19

// gzip reads all of a file of n bytes but its literals and edits.
func (p *player) gzip(n int64) (*packedFile, error) {
	images := &p.read[streamImages]
	f := &packedFile{length: n, form: images.uvarint(), size: images.uvarint()}
	r, err := deflate.ParseRecipe(p.read[streamRecipes].take(int(min(images.uvarint(), maxFrame))))
	if err != nil {
		return nil, malformed("a recipe", err)
	}
	f.recipe, f.old = r, images.uvarint()
	if f.size > maxInflated || f.old > maxInflated || r.Size() != f.size || f.form > formZlib {
		return nil, malformed("a gzip file", errInflated)
	}
	if f.old > 0 {
		p.at += p.read[streamSeeks].varint()
		f.base = p.at
		p.at += f.old
	}
	at := p.at
	p.at = 0
	for left := f.size; left > 0; {
		o := heldPart{kind: p.read[streamKinds].byte()}
		switch o.kind {
		case opLiteral:
			o.length = p.read[streamRuns].uvarint()
		case opMatch:
			o.length = p.read[streamLengths].uvarint()
			o.base = p.at + p.read[streamSeeks].varint()
			p.at = o.base + o.length
		default:
			return nil, fmt.Errorf("%w: operation %d is not allowed in a file", ErrMalformed, o.kind)
		}
		if err := p.failed(); err != nil {
			return nil, err
		}
		if o.length == 0 || o.length > left || len(f.parts) == maxHeld {
			return nil, fmt.Errorf("%w: a part of a gzip file has %d bytes", ErrMalformed, o.length)
		}
		f.parts = append(f.parts, o)
		left -= o.length
	}
	p.at = at
	return f, p.failed()
}

// pack makes the file.
func (p *player) pack(ctx context.Context, f *packedFile) error {
	p.check()
	var base []byte
	if f.old > 0 {
		b := room(&p.packed, f.old)
		if err := p.bases.readFull(b, f.base); err != nil {
			return err
		}
		var err error
		if base, err = inflate(p.old, b, f.form); err != nil {
			return malformed("a gzip file in a base", err)
		}
		p.old = base
	}
	content, err := p.content(base, f)
	if err != nil {
		return err
	}
	out := &counted{w: p.w, left: f.length}
	if f.form == formZlib {
		err = writeZlib(ctx, out, f.recipe, content)
	} else {
		err = f.recipe.Encode(ctx, out, bytes.NewReader(content))
	}
	if err != nil {
		return err
	}
	if out.left > 0 {
		return malformed("a gzip file", io.ErrUnexpectedEOF)
	}
	return nil
}

// content makes what the file holds.
func (p *player) content(base []byte, f *packedFile) ([]byte, error) {
	out := room(&p.held, f.size)[:0]
	for _, o := range f.parts {
		if o.kind == opLiteral {
			out = append(out, p.read[streamLiterals].take(int(o.length))...)
			continue
		}
		if o.base < 0 || o.base+o.length > int64(len(base)) {
			return nil, fmt.Errorf("%w: it refers to what no gzip file holds", ErrMalformed)
		}
		out = append(out, base[o.base:o.base+o.length]...)
		if err := p.edit(out[len(out)-int(o.length):]); err != nil {
			return nil, err
		}
	}
	return out, p.failed()
}

// A counted writer takes no more than left bytes.
type counted struct {
	w    io.Writer
	left int64
}

func (c *counted) Write(b []byte) (int, error) {
	if c.left -= int64(len(b)); c.left < 0 {
		return 0, malformed("a gzip file", errInflated)
	}
	return c.w.Write(b)
}
