package delta

import (
	"context"
	"fmt"

	"github.com/flotobuild/flotobuild/delta/tarmap"
)

// An entryHeader is a header of a tar that is made out of another one.
type entryHeader struct {
	tarmap.Change
	body int64 // bytes behind the old header, up to the next
}

// header makes a header out of the one at s.base, if it is one.
func (d *differ) header(s segment) error {
	var t, b [tarmap.Block]byte
	if err := d.read(t[:], s.offset, b[:], s.base); err != nil {
		return err
	}
	body := tarmap.Body(b[:])
	c, ok := tarmap.Compare(b[:], t[:])
	if t == b || !ok || body < 0 {
		d.match(t[:], b[:], s.offset, s.base)
		return nil
	}
	d.emit(operation{kind: opHeader, offset: s.offset, length: tarmap.Block, base: s.base, header: &entryHeader{c, body}})
	return nil
}

// merge makes one operation of a header and the copy of all that stands behind
// it. It keeps a header until it knows what follows.
func (w *builder) merge(o operation) error {
	h := w.header
	w.header = operation{}
	if h.length > 0 && o.kind == opCopy && o.base == h.base+tarmap.Block && o.length == h.header.body {
		h.kind, h.length = opEntry, h.length+o.length
		return w.emit(h)
	}
	if h.length > 0 {
		if h.header.body == 0 {
			h.kind = opEntry
		}
		if err := w.emit(h); err != nil {
			return err
		}
	}
	if o.kind == opHeader {
		w.header = o
		return nil
	}
	return w.emit(o)
}

// entry writes a header's fields.
func (w *builder) entry(o operation) {
	c := &o.header.Change
	w.b.putVarint(streamSeeks, o.base-w.at)
	w.b.putUvarint(streamHeaders, c.Which)
	if c.Which&tarmap.HasTime != 0 {
		w.b.putVarint(streamHeaders, c.Time-w.time)
		w.time = c.Time
	}
	if c.Which&tarmap.HasSize != 0 {
		w.b.putVarint(streamHeaders, c.Size)
	}
	if c.Which&tarmap.HasMode != 0 {
		w.b.putVarint(streamHeaders, c.Mode)
	}
	for i, text := range [][]byte{c.Name, c.Link, c.Prefix} {
		if c.Which&(tarmap.HasName<<i) != 0 {
			w.b.streams[streamNames] = append(append(w.b.streams[streamNames], text...), 0)
		}
	}
	w.at = o.base + o.length
}

// header makes a header out of the one at p.at, and all that stands behind that
// one if it is an entry.
func (p *player) header(ctx context.Context, left int64, entry bool) (n int64, err error) {
	var h [tarmap.Block]byte
	if err := p.readBase(h[:], p.at); err != nil {
		return 0, err
	}
	body := int64(0)
	if entry {
		body = tarmap.Body(h[:])
	}
	c, err := p.change()
	if err != nil {
		return 0, err
	}
	if n = tarmap.Block + body; body < 0 || n > left {
		return 0, fmt.Errorf("%w: an entry has %d bytes where 512 to %d are wanted", ErrMalformed, n, left)
	}
	c.Apply(h[:])
	if _, err := p.w.Write(h[:]); err != nil {
		return 0, err
	}
	p.at += tarmap.Block
	return n, p.fromBase(ctx, body, false)
}

func (p *player) change() (c tarmap.Change, err error) {
	headers := &p.read[streamHeaders]
	c.Which = headers.uvarint()
	if c.Which > tarmap.HasAll {
		return c, fmt.Errorf("%w: fields %d are not known", ErrMalformed, c.Which)
	}
	if c.Which&tarmap.HasTime != 0 {
		p.time += headers.varint()
		c.Time = p.time
	}
	if c.Which&tarmap.HasSize != 0 {
		c.Size = headers.varint()
	}
	if c.Which&tarmap.HasMode != 0 {
		c.Mode = headers.varint()
	}
	for i, text := range []*[]byte{&c.Name, &c.Link, &c.Prefix} {
		if c.Which&(tarmap.HasName<<i) != 0 {
			*text = p.read[streamNames].text()
		}
	}
	return c, p.failed()
}
