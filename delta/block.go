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

// contents tells what streams hold.
var contents = [streamCount]pack.Content{
	streamKinds: pack.Changes, streamLengths: pack.Varints, streamRuns: pack.Varints, streamSeeks: pack.Varints,
	streamGaps: pack.Varints, streamEdits: pack.Changes, streamLiterals: pack.Any, streamImages: pack.Varints,
	streamRecipes: pack.Any,
	streamHeaders: pack.Varints, streamNames: pack.Any,
}

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

// For how many bytes of the target there may be one in streams, so that applying
// is not too slow: in those that are coded bit by bit, and in others. Where most
// is new, a delta is of little use, and costs little time.
const (
	slowest    = 40
	slowestAny = 18
	mostly     = 4
)

// effort says how hard a stream is packed.
func (b *block) effort(stream int) pack.Effort {
	literals := int64(len(b.streams[streamLiterals]))
	switch {
	case contents[stream] == pack.Any && literals > 1<<20 && literals > b.length/mostly:
		return pack.Fastest
	case contents[stream] == pack.Any && int64(len(b.streams[stream])) > b.length/slowestAny:
		return pack.Fast
	case contents[stream] != pack.Any && int64(b.size())-literals > b.length/slowest:
		return pack.Fast
	}
	return pack.Best
}

// pack gives the payload of the block's frame: the length, for each stream its
// coder and both sizes, and the packed streams.
func (b *block) pack() []byte {
	out := binary.AppendUvarint(nil, uint64(b.length))
	var body []byte
	for i, s := range b.streams {
		c, packed := pack.Pack(s, contents[i], b.effort(i))
		out = append(out, byte(c))
		out = binary.AppendUvarint(out, uint64(len(b.streams[i])))
		out = binary.AppendUvarint(out, uint64(len(packed)))
		body = append(body, packed...)
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
