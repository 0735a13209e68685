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
	// Zstd is one frame of Zstandard (RFC 8878) that states its content size.
	Zstd
	// Repeats is by references to what stood before, and probabilities by the
	// last bytes.
	Repeats
	// RepeatsFast is the same with one context for literals.
	RepeatsFast
)

// An Effort is how much time unpacking may take.
type Effort byte

// Efforts, from the fastest to the smallest result. Times are per byte that is
// packed.
const (
	Fastest Effort = iota // 1 ns
	Fast                  // 60 ns
	Best                  // 200 ns
)

// ErrMalformed says that packed bytes are none that this package packs.
var ErrMalformed = errors.New("malformed stream")

// A Packed is a stream that is packed.
type Packed struct {
	Coder Coder
	Bytes []byte
}

// Pack packs raw so that unpacking takes hardly any time.
func Pack(raw []byte) Packed {
	if b := packZstd(raw); len(b) < len(raw) {
		return Packed{Zstd, b}
	}
	return Packed{Stored, raw}
}

// What a coder that takes longer must save: bytes, for making its tables, and
// parts of what is packed.
const (
	leastSaved = 512
	fastSaves  = 12
	bestSaves  = 20
)

// Tighten packs raw, which is packed as p already, with as much effort as is
// allowed and worth its time.
func (p Packed) Tighten(raw []byte, effort Effort) Packed {
	if effort == Fastest || len(p.Bytes) < 2*leastSaved {
		return p
	}
	fast := packRepeats(raw, true)
	out := p
	if len(fast)+len(fast)/fastSaves+leastSaved < len(out.Bytes) {
		out = Packed{RepeatsFast, fast}
	}
	if effort == Fast {
		return out
	}
	if best := packRepeats(raw, false); len(best)+len(best)/bestSaves+leastSaved < len(out.Bytes) {
		out = Packed{Repeats, best}
	}
	return out
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
	case Repeats, RepeatsFast:
		return unpackRepeats(packed, size, c == RepeatsFast)
	case Zstd:
		return unpackZstd(packed, size)
	}
	return nil, fmt.Errorf("%w: coder %d is not known", ErrMalformed, c)
}
