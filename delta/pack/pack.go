// Package pack makes the streams of a delta small: each with the coder that
// suits it best.
package pack

import (
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// A Coder is how a stream is packed. The values are part of the format.
type Coder byte

// The coders of the format.
const (
	// Stored is as it is.
	Stored Coder = iota
	// Zstd is one frame of Zstandard (RFC 8878).
	Zstd
	// Numbers is a stream of uvarints, by the counts of their bits.
	Numbers
	// Bytes is by the bytes before each.
	Bytes
)

// A Content is what is known of the bytes of a stream before they are packed.
type Content byte

// What streams hold.
const (
	Any     Content = iota // texts and programs, with repetitions
	Varints                // uvarints and varints
	Changes                // bytes that hardly repeat
)

// ErrMalformed says that packed bytes are none that this package packs.
var ErrMalformed = errors.New("malformed stream")

// Pack gives raw packed with the coder that makes least of it.
func Pack(raw []byte, content Content) (Coder, []byte) {
	if len(raw) < 16 {
		return Stored, raw
	}
	if content == Varints {
		if b, ok := packNumbers(raw); ok && len(b) < len(raw) {
			return Numbers, b
		}
	}
	if content == Changes {
		if b := packBytes(raw); len(b) < len(raw) {
			return Bytes, b
		}
	}
	e := encoders.Get().(*zstd.Encoder)
	defer encoders.Put(e)
	if b := e.EncodeAll(raw, nil); len(b) < len(raw) {
		return Zstd, b
	}
	return Stored, raw
}

// Unpack gives the size bytes that were packed. It takes no more memory than
// about that, whatever packed says.
func Unpack(c Coder, packed []byte, size int) ([]byte, error) {
	switch c {
	case Stored:
		if len(packed) != size {
			return nil, fmt.Errorf("%w: %d bytes instead of %d", ErrMalformed, len(packed), size)
		}
		return packed, nil
	case Zstd:
		return unzstd(packed, size)
	case Numbers:
		return unpackNumbers(packed, size)
	case Bytes:
		return unpackBytes(packed, size), nil
	}
	return nil, fmt.Errorf("%w: coder %d is not known", ErrMalformed, c)
}

func unzstd(packed []byte, size int) ([]byte, error) {
	var h zstd.Header
	if err := h.Decode(packed); err != nil || !h.HasFCS || h.FrameContentSize != uint64(size) {
		return nil, fmt.Errorf("%w: its size is not %d", ErrMalformed, size)
	}
	d := decoders.Get().(*zstd.Decoder)
	defer decoders.Put(d)
	raw, err := d.DecodeAll(packed, make([]byte, 0, size))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if len(raw) != size {
		return nil, fmt.Errorf("%w: its size is not %d", ErrMalformed, size)
	}
	return raw, nil
}

// maxStream is the memory that a decoder may take.
const maxStream = 64 << 20

var encoders = sync.Pool{New: func() any {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderCRC(false), zstd.WithSingleSegment(true))
	if err != nil {
		panic(err) // options that are constant
	}
	return e
}}

var decoders = sync.Pool{New: func() any {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxStream))
	if err != nil {
		panic(err) // options that are constant
	}
	return d
}}
