package delta

import (
	"context"
	"slices"

	"github.com/flotobuild/flotobuild/delta/match"
)

// An operation makes a part of the target. It is what blocks are built of.
type operation struct {
	kind           byte
	offset, length int64 // in the target
	base           int64 // an address, unless it is a literal
	edits          []edit
	bytes          []byte // of a literal, where they do not stand in the target
	image          *image
	gzip           *gzipped
	header         *entryHeader
}

// An edit is a byte of a match that differs.
type edit struct {
	at    uint32 // from the begin of the match
	value byte   // target less base
}

// maxMatch bounds the length of a match, so that its edits stay few enough for
// a block.
const maxMatch = 1 << 20

// maxLiteral bounds a literal for the same reason.
const maxLiteral = 1 << 20

// A differ turns segments into operations. It keeps its memory from one to the
// next and is not safe for concurrent use.
type differ struct {
	ctx    context.Context // of the Create that it works for
	target *Layer
	bases  *space
	window int64  // of the target that is compared at once
	check  func() // is called before what takes much memory

	t, b []byte
	// evenT and evenB are t and b of executables, see [project.Image.Even].
	evenT, evenB, scratch []byte
	index                 match.Index
	out                   []operation
}

// diff gives the operations for the segments of a unit.
func (d *differ) diff(unit []segment) ([]operation, error) {
	d.out = nil
	for _, s := range unit {
		if err := d.segment(s); err != nil {
			return nil, err
		}
	}
	return d.out, nil
}

func (d *differ) segment(s segment) error {
	switch s.how {
	case isEqual:
		d.emit(operation{kind: opCopy, offset: s.offset, length: s.length, base: s.base})
	case isAligned:
		return d.aligned(s)
	case isHeader:
		return d.header(s)
	default:
		return d.changed(s)
	}
	return nil
}

// literal passes bytes on as they are.
func (d *differ) literal(offset, length int64) {
	for length > 0 {
		n := min(length, maxLiteral)
		d.emit(operation{kind: opLiteral, offset: offset, length: n})
		offset, length = offset+n, length-n
	}
}

func (d *differ) emit(o operation) { d.out = append(d.out, o) }

// room makes buf n bytes long. What it has is of no use.
func room(buf *[]byte, n int64) []byte {
	if int64(cap(*buf)) < n {
		*buf = make([]byte, n+n/8)
	}
	*buf = (*buf)[:n]
	return *buf
}

// aligned compares byte for byte, and gives up where hardly any is equal.
func (d *differ) aligned(s segment) error {
	for s.length > 0 {
		n := min(s.length, maxMatch)
		t, b := room(&d.t, n), room(&d.b, n)
		if err := d.read(t, s.offset, b, s.base); err != nil {
			return err
		}
		d.match(t, b, s.offset, s.base)
		s.offset, s.base, s.length = s.offset+n, s.base+n, s.length-n
	}
	return nil
}

func (d *differ) read(t []byte, offset int64, b []byte, base int64) error {
	if err := readFullAt(d.target.Content, t, offset); err != nil {
		return err
	}
	return d.bases.readFull(b, base)
}

// match makes t out of b, which is as long and stands at base.
func (d *differ) match(t, b []byte, offset, base int64) {
	for len(t) > maxMatch {
		d.match(t[:maxMatch], b[:maxMatch], offset, base)
		t, b, offset, base = t[maxMatch:], b[maxMatch:], offset+maxMatch, base+maxMatch
	}
	o := operation{kind: opCopy, offset: offset, length: int64(len(t)), base: base, edits: compare(t, b)}
	switch {
	case len(o.edits) > len(t)/2:
		d.literal(offset, int64(len(t)))
		return
	case len(o.edits) > 0:
		o.kind = opMatch
	}
	d.emit(o)
}

// changed looks what kind of file the segment is, and finds what of the content at s.base is in the segment, a window at a
// time.
func (d *differ) changed(s segment) error {
	for _, special := range []func(segment) (bool, error){d.gzip, d.image} {
		if done, err := special(s); done || err != nil {
			return err
		}
	}
	if s.how == isNew {
		d.literal(s.offset, s.length)
		return nil
	}
	for from := int64(0); from < s.length; from += d.window {
		n := min(s.length-from, d.window)
		low, high := baseWindow(s, from, n, d.window)
		t, b := room(&d.t, n), room(&d.b, high-low)
		if err := d.read(t, s.offset+from, b, s.base+low); err != nil {
			return err
		}
		d.check()
		d.index.Reset(b, int(d.window/2))
		d.matches(t, b, s.offset+from, s.base+low)
	}
	return nil
}

// baseWindow gives the part of the base content that stands where n bytes of
// the segment from on stand in it, with as much on either side as fits.
func baseWindow(s segment, from, n, window int64) (low, high int64) {
	if s.size <= 2*window {
		return 0, s.size
	}
	middle := int64(float64(from+n/2) / float64(s.length) * float64(s.size))
	low = min(max(middle-window, 0), s.size-2*window)
	return low, low + 2*window
}

// matches makes t out of b and literals.
func (d *differ) matches(t, b []byte, offset, base int64) {
	matches := match.Find(t, &d.index, match.Suited(t))
	d.out = slices.Grow(d.out, 2*len(matches)+1)
	end := 0
	for _, m := range matches {
		d.literal(offset+int64(end), int64(m.Target-end))
		d.match(t[m.Target:m.End()], b[m.Base:m.Base+m.Length], offset+int64(m.Target), base+int64(m.Base))
		end = m.End()
	}
	d.literal(offset+int64(end), int64(len(t)-end))
}
