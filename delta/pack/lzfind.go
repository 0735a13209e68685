package pack

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"sync"
)

// A reference says that length bytes stood a distance before.
type reference struct {
	length   int
	distance uint32 // less 1
}

// A matchFinder finds what stood before, by hashes of 2 to 4 bytes.
type matchFinder struct {
	b     []byte
	two   []int32 // the last position, by 2 bytes
	three []int32 // the same, by the hash of 3
	head  []int32 // the same, by the hash of 4; plus 1
	chain []int32 // the position before of the same hash, plus 1
	shift uint
	depth int
	found []reference
	at    int // positions before it are in the tables
}

func newMatchFinder(b []byte, depth int) *matchFinder {
	width := min(max(bits.Len(uint(len(b))), 10), 20)
	f := finders.Get().(*matchFinder)
	*f = matchFinder{
		b: b, depth: depth, shift: uint(32 - width), found: f.found[:0],
		two: zeroed(f.two, 1<<16), three: zeroed(f.three, 1<<16), head: zeroed(f.head, 1<<width),
		chain: slices.Grow(f.chain[:0], len(b))[:len(b)], // each is set before it is read
	}
	return f
}

// finders are those that are not in use: their tables are many times as large
// as what they are for.
var finders = sync.Pool{New: func() any { return &matchFinder{} }}

// release gives the finder's memory to the next one.
func (f *matchFinder) release() {
	f.b = nil
	finders.Put(f)
}

func zeroed(s []int32, n int) []int32 {
	s = slices.Grow(s[:0], n)[:n]
	clear(s)
	return s
}

func (f *matchFinder) hashes(i int) (two uint32, three uint32, four uint32) {
	v := binary.LittleEndian.Uint32(f.b[i:])
	return v & 0xFFFF, v << 8 * 0x9E3779B1 >> 16, v * 0x9E3779B1 >> f.shift
}

// enter puts all positions before to into the tables.
func (f *matchFinder) enter(to int) {
	for ; f.at < to && f.at+4 <= len(f.b); f.at++ {
		two, three, four := f.hashes(f.at)
		f.chain[f.at] = f.head[four]
		f.two[two], f.three[three], f.head[four] = int32(f.at+1), int32(f.at+1), int32(f.at+1)
	}
	f.at = max(f.at, to)
}

// find gives references for the bytes at i, longer ones further away. The slice
// holds until the next call.
func (f *matchFinder) find(i int) []reference {
	f.enter(i)
	f.found = f.found[:0]
	if i+4 > len(f.b) {
		return nil
	}
	two, three, four := f.hashes(i)
	best := 1
	best = f.try(i, int(f.two[two])-1, best)
	best = f.try(i, int(f.three[three])-1, best)
	p := int(f.head[four]) - 1
	for n := 0; p >= 0 && n < f.depth; n++ {
		best = f.try(i, p, best)
		if best >= maxLength {
			break
		}
		p = int(f.chain[p]) - 1
	}
	return f.found
}

// try notes the position p if it gives more than best bytes.
func (f *matchFinder) try(i, p, best int) int {
	if p < 0 || i+best >= len(f.b) || f.b[p+best] != f.b[i+best] {
		return best
	}
	n := equalBytes(f.b[p:], f.b[i:], maxLength)
	if n <= best || n == 2 && i-p > 128 || n == 3 && i-p > 1<<13 {
		return best
	}
	f.found = append(f.found, reference{n, uint32(i - p - 1)})
	return n
}

// equalBytes is how many of the first bytes of a and b are equal, at most limit;
// b is the shorter.
func equalBytes(a, b []byte, limit int) int {
	limit = min(limit, len(b))
	n := 0
	for ; n+8 <= limit; n += 8 {
		if d := binary.LittleEndian.Uint64(a[n:]) ^ binary.LittleEndian.Uint64(b[n:]); d != 0 {
			return n + bits.TrailingZeros64(d)/8
		}
	}
	for n < limit && a[n] == b[n] {
		n++
	}
	return n
}
