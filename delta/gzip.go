package delta

import (
	"bytes"

	"github.com/flotobuild/flotobuild/delta/deflate"
	"github.com/flotobuild/flotobuild/delta/match"
)

// maxInflated bounds what gzip files hold that are looked into, since it is held
// in memory.
const maxInflated = 12 << 20

// A gzipped is a gzip file or a zlib stream that is made out of what it holds.
type gzipped struct {
	form   int64
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
	var b []byte
	if s.how == isChanged && s.size <= maxInflated {
		b = room(&d.b, s.size)
		if err := d.bases.readFull(b, s.base); err != nil {
			return false, err
		}
	}
	return d.packed(t, s.offset, b, s.base, formGzip)
}

// packed makes t, which stands at offset in the target, out of what it holds. B
// stands at base, and may hold something alike.
func (d *differ) packed(t []byte, offset int64, b []byte, base int64, form int64) (done bool, err error) {
	d.check()
	content, err := inflate(nil, t, form)
	if err != nil {
		return false, nil
	}
	g := &gzipped{form: form, size: int64(len(content))}
	old, err := inflate(nil, b, form)
	if err == nil {
		g.old = int64(len(b))
	}
	g.parts = d.held(content, old)
	if !g.pays(len(t)) {
		return false, nil
	}
	member := t
	if form == formZlib {
		if member, err = gzipOf(t); err != nil {
			return false, nil
		}
	}
	d.check()
	r, again, ok, err := deflate.Identify(d.ctx, member, maxInflated)
	if err != nil || !ok || !bytes.Equal(again, content) {
		return false, err
	}
	if g.recipe, err = r.MarshalBinary(); err != nil {
		return false, err
	}
	d.emit(operation{kind: opGzip, offset: offset, length: int64(len(t)), base: base, gzip: g})
	return true, nil
}

// What decides whether a compressed file is opened: how many of what is held are
// compressed again in the time that is worth a byte of the delta, and how many
// literals are unpacked. At 32 and 16 KB a millisecond, that is worth 2 KiB.
const (
	bytesAgain    = 16
	literalsAgain = 8
	// packs is how many literals of a text make a byte of the delta.
	packs = 4
	// perEdit and perPart are bytes that these take.
	perEdit, perPart = 1, 4
)

// pays says whether opening a file of length bytes makes the delta smaller by
// what applying it costs.
func (g *gzipped) pays(length int) bool {
	literals, edits := 0, 0
	for _, o := range g.parts {
		edits += len(o.edits)
		if o.kind == opLiteral {
			literals += int(o.length)
		}
	}
	size := literals/packs + edits*perEdit + len(g.parts)*perPart
	return length-size > int(g.size)/bytesAgain+literals/literalsAgain
}

// held makes content out of old, in matches and literals.
func (d *differ) held(content, old []byte) []operation {
	whole := d.out
	defer func() { d.out = whole }()
	d.index.Reset(old, max(len(old), 1))
	matches := match.Find(content, &d.index, match.Suited(content))
	d.out = make([]operation, 0, 2*len(matches)+1)
	end := 0
	literal := func(to int) {
		for ; end < to; end += min(to-end, maxLiteral) {
			b := content[end:min(to, end+maxLiteral)]
			d.emit(operation{kind: opLiteral, length: int64(len(b)), bytes: b})
		}
	}
	for _, m := range matches {
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

// gzip writes a gzip file's own fields and its parts.
func (w *builder) gzip(o operation) error {
	g := o.gzip
	w.b.putUvarint(streamLengths, o.length)
	w.b.putUvarint(streamImages, g.form)
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
