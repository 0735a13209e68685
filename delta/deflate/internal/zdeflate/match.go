package zdeflate

import (
	"encoding/binary"
	"math/bits"
)

// insertPending starts the hash at the position, and adds strings that could
// not be hashed before as bytes were missing.
func (e *Encoder) insertPending() {
	if e.lookahead+e.pending < minMatch {
		return
	}
	at := e.position - e.pending
	e.rehash(at)
	for e.pending > 0 && e.lookahead+e.pending >= minMatch {
		e.insert(at)
		at++
		e.pending--
	}
}

// rehash makes the hash that of the first two bytes at a place.
func (e *Encoder) rehash(at int) {
	e.hash = (uint32(e.window[at])<<e.hashShift ^ uint32(e.window[at+1])) & e.hashMask
}

// insert adds the string at a place to the hash table, and returns the place
// before with the same hash, 0 for none. Places are inserted in order.
func (e *Encoder) insert(at int) int {
	h := (e.hash<<e.hashShift ^ uint32(e.window[at+minMatch-1])) & e.hashMask
	e.hash = h
	before := e.head[h]
	e.prev[at&windowMask] = before
	e.head[h] = uint16(at)
	return int(before)
}

// longestMatch looks along a hash chain for a match at the position that is
// longer than the last one, and sets e.match to its place. It compares beyond
// the end of the input, as the programs do that it follows: zlib hides that by
// taking the lookahead as nice; in GNU gzip it can show at the end of a file.
func (e *Encoder) longestMatch(at int) int {
	chain, nice := e.effort.chain, e.effort.nice
	best := e.lastLength
	if best >= e.effort.good {
		chain >>= 2
	}
	if nice > e.lookahead && !e.config.GNU {
		nice = e.lookahead
	}
	limit := max(e.position-maxDistance, 0)
	w, scan := e.window[:], e.position
	// Of a longer match than the best the last bytes are equal too. They are
	// looked at first, since places with the same hash begin alike.
	back := min(best, minMatch)
	mask := uint32(1<<(8*back+8) - 1)
	tail := w[best-back:]
	end := binary.LittleEndian.Uint32(tail[scan:]) & mask
	for {
		if binary.LittleEndian.Uint32(tail[at:])&mask == end {
			if n := e.matchLength(at, scan); n > best {
				e.match, best = at, n
				if n >= nice {
					break
				}
				tail, mask = w[best-minMatch:], 1<<32-1
				end = binary.LittleEndian.Uint32(tail[scan:])
			}
		}
		at = int(e.prev[at&windowMask])
		chain--
		if at <= limit || chain == 0 {
			break
		}
	}
	return min(best, e.lookahead)
}

// matchLength compares two places of the window.
func (e *Encoder) matchLength(a, b int) int {
	x, y := e.window[a:a+maxMatch+loadSlack-2], e.window[b:b+maxMatch+loadSlack-2]
	for n := 0; n < maxMatch; n += 8 {
		if d := binary.LittleEndian.Uint64(x[n:]) ^ binary.LittleEndian.Uint64(y[n:]); d != 0 {
			return min(n+bits.TrailingZeros64(d)>>3, maxMatch)
		}
	}
	return maxMatch
}
