package delta

import (
	"encoding/binary"
	"fmt"

	"github.com/flotobuild/flotobuild/delta/pack"
)

// The streams of a block. What is alike stands together, and packs well.
const (
	streamKinds    = iota // of operations, a byte each
	streamLengths         // of copies and matches
	streamRuns            // lengths of literals
	streamSeeks           // addresses, relative to what the last operation ended at
	streamGaps            // bytes of matches that are equal, before each that is not
	streamEdits           // what is added to base bytes of matches that are not equal
	streamLiterals        // bytes that are like nothing in the bases
	streamImages          // what predicting executables takes
	streamRecipes         // how compressed bytes are made again
	streamHeaders         // which fields of headers change, and numbers
	streamNames           // texts of headers
	streamCount
)

// maxBlock bounds what the streams of a block have together, unpacked.
const maxBlock = 48 << 20

// The operations of a block.
const (
	opLiteral byte = iota // bytes of streamLiterals
	opCopy                // bytes of a base
	opMatch               // bytes of a base, some of them changed
	opImage               // an executable: literals and matches of another one
	opGzip                // a gzip file: what it holds, and how it is compressed
	opHeader              // a header of a tar, some fields of it changed
	opEntry               // the same, and the content behind it
)

// A block makes a part of the target out of the bases alone.
type block struct {
	// length is how many bytes of the target it makes.
	length  int64
	streams [streamCount][]byte
}

// size is what the streams have, unpacked.
func (b *block) size() (n int) {
	for _, s := range b.streams {
		n += len(s)
	}
	return n
}

func (b *block) putVarint(stream int, v int64) {
	b.streams[stream] = binary.AppendVarint(b.streams[stream], v)
}

func (b *block) putUvarint(stream int, v int64) {
	b.streams[stream] = binary.AppendUvarint(b.streams[stream], uint64(v))
}

// For how many bytes of the target there may be a packed one, so that unpacking
// streams with more effort takes little of the time that making the target
// does. Where much is new, a delta is of little use, and costs little time.
const (
	perFast = 24
	perBest = 100
)

func effortFor(packed int, length int64) pack.Effort {
	switch n := int64(packed); {
	case n <= length/perBest:
		return pack.Best
	case n <= length/perFast:
		return pack.Fast
	}
	return pack.Fastest
}

// pack gives the payload of the block's frame: the length, for each stream its
// coder and both sizes, and the packed streams. Check is called before what takes
// much memory.
func (b *block) pack(check func()) []byte {
	var streams [streamCount]pack.Packed
	size := 0
	for i, s := range b.streams {
		check()
		streams[i] = pack.Pack(s)
		size += len(streams[i].Bytes)
	}
	effort := effortFor(size, b.length)
	out := binary.AppendUvarint(nil, uint64(b.length))
	var body []byte
	for i, s := range b.streams {
		check()
		p := streams[i].Tighten(s, effort)
		out = append(out, byte(p.Coder))
		out = binary.AppendUvarint(out, uint64(len(s)))
		out = binary.AppendUvarint(out, uint64(len(p.Bytes)))
		body = append(body, p.Bytes...)
	}
	return append(out, body...)
}

// A streamHead is what the payload says of a stream.
type streamHead struct {
	coder     pack.Coder
	raw, size int64
}

// parseBlock checks all sizes before it unpacks anything.
func parseBlock(payload []byte) (*block, error) {
	c := &cursor{b: payload}
	b := &block{length: c.uvarint()}
	var heads [streamCount]streamHead
	var raw, packed int64
	for i := range heads {
		heads[i] = streamHead{coder: pack.Coder(c.byte()), raw: c.uvarint(), size: c.uvarint()}
		raw += min(heads[i].raw, maxBlock+1)
		packed += min(heads[i].size, maxFrame+1)
	}
	switch {
	case c.err != nil:
		return nil, c.err
	case b.length > maxSize || raw > maxBlock:
		return nil, fmt.Errorf("%w: a block is too large", ErrMalformed)
	case packed != int64(len(c.b)):
		return nil, fmt.Errorf("%w: the streams of a block have %d bytes instead of %d", ErrMalformed, packed, len(c.b))
	}
	for i, h := range heads {
		s, err := pack.Unpack(h.coder, c.b[:h.size], int(h.raw))
		if err != nil {
			return nil, fmt.Errorf("%w: stream %d of a block: %w", ErrMalformed, i, err)
		}
		b.streams[i], c.b = s, c.b[h.size:]
	}
	return b, nil
}
