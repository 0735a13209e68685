package delta

import (
	"context"
	"fmt"
	"io"
)

// chunk is how many bytes of the target are made at once.
const chunk = 128 << 10

// endless is a gap that no block has an end of.
const endless = 1 << 62

// A player makes the bytes that blocks describe.
type player struct {
	bases *space
	cache cache
	w     io.Writer
	check func()
	buf   []byte
	// packed, old and held are of compressed files: one in a base, and what that
	// and the new one hold.
	packed, old, held []byte
	read              [streamCount]cursor
	at                int64 // address behind the last base bytes
	time              int64 // of the last header
	gap               int64 // equal bytes before the next edit; -1 when it is not known
}

// newPlayer calls check before what takes much memory.
func newPlayer(bases *space, w io.Writer, check func()) *player {
	return &player{bases: bases, w: w, check: check, buf: make([]byte, chunk)}
}

// play writes the bytes of b.
func (p *player) play(ctx context.Context, b *block) error {
	for i := range p.read {
		p.read[i] = cursor{b: b.streams[i]}
	}
	p.at, p.time, p.gap = 0, 0, -1
	for left := b.length; left > 0; {
		n, err := p.operation(ctx, left)
		if err != nil {
			return err
		}
		left -= n
	}
	for i := range p.read {
		if len(p.read[i].b) > 0 {
			return fmt.Errorf("%w: stream %d of a block has more than its operations need", ErrMalformed, i)
		}
	}
	return nil
}

// operation does one that makes at most left bytes, and says how many.
func (p *player) operation(ctx context.Context, left int64) (n int64, err error) {
	kind := p.read[streamKinds].byte()
	switch kind {
	case opHeader, opEntry:
		p.at += p.read[streamSeeks].varint()
		return p.header(ctx, left, kind == opEntry)
	case opLiteral:
		n = p.read[streamRuns].uvarint()
	case opGzip:
		n = p.read[streamLengths].uvarint()
	case opCopy, opMatch, opImage:
		n = p.read[streamLengths].uvarint()
		p.at += p.read[streamSeeks].varint()
	default:
		return 0, fmt.Errorf("%w: operation %d is not known", ErrMalformed, kind)
	}
	if err := p.failed(); err != nil {
		return 0, err
	}
	if n == 0 || n > left {
		return 0, fmt.Errorf("%w: an operation makes %d bytes where 1 to %d are wanted", ErrMalformed, n, left)
	}
	switch kind {
	case opLiteral:
		return n, p.literal(n)
	case opImage:
		return n, p.image(ctx, n)
	case opGzip:
		f, err := p.gzip(n)
		if err != nil {
			return 0, err
		}
		return n, p.pack(ctx, f)
	}
	return n, p.fromBase(ctx, n, kind == opMatch)
}

func (p *player) failed() error {
	for i := range p.read {
		if err := p.read[i].err; err != nil {
			return err
		}
	}
	return nil
}

func (p *player) literal(n int64) error {
	b := p.read[streamLiterals].take(int(min(n, maxBlock+1)))
	if err := p.read[streamLiterals].err; err != nil {
		return err
	}
	_, err := p.w.Write(b)
	return err
}

// fromBase makes n bytes of those at p.at.
func (p *player) fromBase(ctx context.Context, n int64, changed bool) error {
	for n > 0 {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		b := p.buf[:min(n, chunk)]
		if err := p.readBase(b, p.at); err != nil {
			return err
		}
		if changed {
			if err := p.edit(b); err != nil {
				return err
			}
		}
		if _, err := p.w.Write(b); err != nil {
			return err
		}
		p.at += int64(len(b))
		n -= int64(len(b))
	}
	return nil
}

// edit changes the bytes of b that differ.
func (p *player) edit(b []byte) error {
	gaps, edits := &p.read[streamGaps], &p.read[streamEdits]
	for {
		if p.gap < 0 {
			p.gap = endless // no more edits in this block
			if len(gaps.b) > 0 {
				p.gap = gaps.uvarint()
			}
		}
		if p.gap >= int64(len(b)) {
			p.gap -= int64(len(b))
			return nil
		}
		b[p.gap] += edits.byte()
		b, p.gap = b[p.gap+1:], -1
		if err := p.failed(); err != nil {
			return err
		}
	}
}
