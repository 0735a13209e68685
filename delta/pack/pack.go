// Package pack makes the streams of a delta small: each with the coder that
// suits it best.
package pack

import (
	"errors"
	"fmt"
)

// A Coder is how a stream is packed. The values are part of the format.
type Coder byte

// The coders of the format.
const (
	// Stored is as it is.
	Stored Coder = iota
	// Numbers is a stream of uvarints, by the counts of their bits.
	Numbers
	// NumbersFast is the same with one context each.
	NumbersFast
	// Bytes is by the bytes before each.
	Bytes
	// BytesFast is by the one byte before.
	BytesFast
	// Repeats is by references to what stood before.
	Repeats
	// RepeatsFast is the same with one context for literals.
	RepeatsFast
	// Zstd is one frame of Zstandard (RFC 8878) that states its content size.
	Zstd
)

// An Effort is how much time packing and unpacking may take.
type Effort byte

// Efforts, from the smallest result to the fastest.
const (
	Best Effort = iota
	Fast        // a third of the time; a little larger
	Fastest
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

// Pack gives raw packed with the coder that suits it.
func Pack(raw []byte, content Content, effort Effort) (Coder, []byte) {
	fast := effort != Best
	if len(raw) < 16 {
		return Stored, raw
	}
	if content == Varints {
		if b, ok := packNumbers(raw, fast); ok && len(b) < len(raw) {
			return Numbers + either(fast), b
		}
	}
	if content == Changes {
		b := packBytes(raw, fast)
		if !fast && len(raw) <= maxTwice {
			if r := packRepeats(raw, fast); len(r) < len(b) {
				return Repeats + either(fast), r
			}
		}
		if len(b) < len(raw) {
			return Bytes + either(fast), b
		}
	}
	if effort == Fastest {
		if b := packZstd(raw); len(b) < len(raw) {
			return Zstd, b
		}
		return Stored, raw
	}
	if b := packRepeats(raw, fast); len(b) < len(raw) {
		return Repeats + either(fast), b
	}
	return Stored, raw
}

// maxTwice bounds the streams that two coders are tried for.
const maxTwice = 1 << 20

func either(fast bool) Coder {
	if fast {
		return 1
	}
	return 0
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
	case Numbers, NumbersFast:
		return unpackNumbers(packed, size, c == NumbersFast)
	case Bytes, BytesFast:
		return unpackBytes(packed, size, c == BytesFast), nil
	case Repeats, RepeatsFast:
		return unpackRepeats(packed, size, c == RepeatsFast)
	case Zstd:
		return unpackZstd(packed, size)
	}
	return nil, fmt.Errorf("%w: coder %d is not known", ErrMalformed, c)
}
