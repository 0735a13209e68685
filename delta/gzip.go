package delta

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"

	"github.com/flotobuild/flotobuild/delta/deflate"
	"github.com/flotobuild/flotobuild/delta/match"
)

// maxInflated bounds what gzip files hold that are looked into, since it is held
// in memory.
const maxInflated = 12 << 20

// A gzipped is a gzip file that is made out of what it holds.
type gzipped struct {
	recipe []byte
	size   int64 // of what it holds
	// old is the length of the gzip file that it is like, 0 for none.
	old   int64
	parts []operation // literals and matches, of what that holds
}

func (g *gzipped) cost() int {
	n := 64 + len(g.recipe)
	for _, o := range g.parts {
		n += cost(o)
	}
	return n
}

// gzip makes the segment out of what it holds, if it is a gzip file whose bytes
// can be made again.
func (d *differ) gzip(s segment) (done bool, err error) {
	var magic [3]byte
	if s.length < 64 || s.length > maxInflated {
		return false, nil
	}
	if err := readFullAt(d.target.Content, magic[:], s.offset); err != nil || magic != [3]byte{0x1f, 0x8b, 8} {
		return false, err
	}
	t := room(&d.t, s.length)
	if err := readFullAt(d.target.Content, t, s.offset); err != nil {
		return false, err
	}
	r, content, ok, err := deflate.Identify(d.ctx, t, maxInflated)
	if err != nil || !ok || len(content) == 0 {
		return false, err
	}
	g := &gzipped{size: int64(len(content))}
	if g.recipe, err = r.MarshalBinary(); err != nil {
		return false, err
	}
	old, err := d.inflated(s)
	if err != nil {
		return false, err
	}
	if old != nil {
		g.old = s.size
	}
	g.parts = d.held(content, old)
	d.emit(operation{kind: opGzip, offset: s.offset, length: s.length, base: s.base, gzip: g})
	return true, nil
}

// inflated gives what the base of a segment holds; nil for nothing.
func (d *differ) inflated(s segment) ([]byte, error) {
	if s.how != isChanged || s.size > maxInflated {
		return nil, nil
	}
	b := room(&d.b, s.size)
	if err := d.bases.readFull(b, s.base); err != nil {
		return nil, err
	}
	old, err := inflate(bytes.NewReader(b))
	if err != nil {
		return nil, nil
	}
	return old, nil
}

// held makes content out of old, in matches and literals.
func (d *differ) held(content, old []byte) []operation {
	whole := d.out
	defer func() { d.out = whole }()
	d.out = nil
	d.index.Reset(old, max(len(old), 1))
	end := 0
	literal := func(to int) {
		for ; end < to; end += min(to-end, maxLiteral) {
			b := content[end:min(to, end+maxLiteral)]
			d.emit(operation{kind: opLiteral, length: int64(len(b)), bytes: b})
		}
	}
	for _, m := range match.Find(content, &d.index, match.Suited(content)) {
		literal(m.Target)
		d.emit(operation{
			kind: opMatch, length: int64(m.Length), base: int64(m.Base),
			edits: compare(content[m.Target:m.End()], old[m.Base:]),
		})
		end = m.End()
	}
	literal(len(content))
	return d.out
}

// compare gives the edits that make t out of the begin of b.
func compare(t, b []byte) (edits []edit) {
	for i := range t {
		if t[i] != b[i] {
			edits = append(edits, edit{uint32(i), t[i] - b[i]})
		}
	}
	return edits
}

var errInflated = errors.New("it holds too much")

// inflate gives what a gzip file holds, if that is something and no more than
// maxInflated bytes.
func inflate(r io.Reader) ([]byte, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(z, maxInflated+1))
	if err != nil {
		return nil, err
	}
	if len(b) == 0 || len(b) > maxInflated {
		return nil, errInflated
	}
	return b, nil
}

// gzip writes a gzip file's own fields and its parts.
func (w *builder) gzip(o operation) error {
	g := o.gzip
	w.b.putUvarint(streamLengths, o.length)
	w.b.putUvarint(streamImages, g.size)
	w.b.putUvarint(streamImages, int64(len(g.recipe)))
	w.b.streams[streamRecipes] = append(w.b.streams[streamRecipes], g.recipe...)
	w.b.putUvarint(streamImages, g.old)
	at := w.at
	if g.old > 0 {
		w.b.putVarint(streamSeeks, o.base-w.at)
		at = o.base + g.old
	}
	w.at = 0
	for _, part := range g.parts {
		if err := w.put(part); err != nil {
			return err
		}
	}
	w.at = at
	return nil
}

// gzip makes a gzip file of n bytes.
func (p *player) gzip(ctx context.Context, n int64) error {
	size, recipe := p.read[streamImages].uvarint(), p.read[streamImages].uvarint()
	r, err := deflate.ParseRecipe(p.read[streamRecipes].take(int(min(recipe, maxFrame))))
	if err != nil {
		return malformed("a recipe", err)
	}
	old := p.read[streamImages].uvarint()
	if size > maxInflated || old > maxInflated || r.Size() != size {
		return malformed("a gzip file", errInflated)
	}
	var base []byte
	if old > 0 {
		p.at += p.read[streamSeeks].varint()
		if base, err = p.inflated(old); err != nil {
			return err
		}
		p.at += old
	}
	content, err := p.content(ctx, base, size)
	if err != nil {
		return err
	}
	out := &counted{w: p.w, left: n}
	if err := r.Encode(ctx, out, bytes.NewReader(content)); err != nil {
		return err
	}
	if out.left > 0 {
		return malformed("a gzip file", io.ErrUnexpectedEOF)
	}
	return nil
}

func (p *player) inflated(size int64) ([]byte, error) {
	if err := p.failed(); err != nil {
		return nil, err
	}
	b := make([]byte, size)
	if err := p.bases.readFull(b, p.at); err != nil {
		return nil, err
	}
	base, err := inflate(bytes.NewReader(b))
	if err != nil {
		return nil, malformed("a gzip file in a base", err)
	}
	return base, nil
}

// content makes size bytes of literals and of matches of base.
func (p *player) content(ctx context.Context, base []byte, size int64) ([]byte, error) {
	inner := *p
	out := bytes.NewBuffer(make([]byte, 0, size))
	inner.w, inner.at, inner.plain = out, 0, true
	inner.bases = newSpace([]Layer{{Descriptor{Size: int64(len(base))}, readerAt(base)}})
	for left := size; left > 0; {
		n, err := inner.operation(ctx, left)
		if err != nil {
			return nil, err
		}
		left -= n
	}
	p.read, p.gap = inner.read, inner.gap
	return out.Bytes(), nil
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
