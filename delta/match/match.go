// Package match finds which parts of a target are like which parts of a base,
// bytes that differ here and there included.
//
// It follows the idea of C. Percival ("Naive differences of executable code"):
// an exact match sets an alignment, the alignment is kept as long as nothing
// else fits clearly better, and it is stretched over what is equal in the
// main. Hash chains stand in for the suffix array, which takes too much memory.
package match

import "encoding/binary"

// A Match is a part of the target that is like a part of the base of the same
// length. Positions and length are bytes.
type Match struct {
	Target, Base, Length int
}

// End is where the part ends in the target.
func (m *Match) End() int { return m.Target + m.Length }

// Options tell what bytes these are.
type Options struct {
	// Gain is how many more bytes than the present alignment a new match must
	// have equal. A new alignment costs a few bytes, a differing byte one or
	// two: 10 to 12 is best for executables, 24 for text.
	Gain int
	// Byte is what a byte costs that is in no match, in sixteenths of a bit.
	Byte int
}

// Find gives matches in order of the target; they do not overlap there. The
// gaps between them have no like in the base of x.
func Find(target []byte, x *Index, o Options) []Match {
	f := finder{target: target, base: x.base, x: x, o: o}
	f.scan()
	return f.prune(f.join())
}

type finder struct {
	target, base []byte
	x            *Index
	o            Options
	runs         []Match // exact, of at least seed bytes
}

// scan finds exact runs: along the present alignment where it goes on, else the
// longest that is worth a new one.
func (f *finder) scan() {
	shift, misses := 0, 0
	for i := 0; i+seed <= len(f.target); {
		if n := f.along(i, shift); n >= seed {
			f.add(i, i+shift, n)
			i += n
			misses = 0
			continue
		}
		at, n := f.x.longest(f.target, i, i+shift)
		if n < seed || n <= f.agreeing(i, n, shift)+f.o.Gain {
			i += 1 + misses>>9
			misses++
			continue
		}
		back := f.backwards(i, at)
		f.add(i-back, at-back, n+back)
		shift = at - i
		i += n
		misses = 0
	}
}

// along is how many bytes are equal from i on when aligned by shift.
func (f *finder) along(i, shift int) int {
	b := i + shift
	if b < 0 || b+seed > len(f.base) ||
		binary.LittleEndian.Uint64(f.base[b:]) != binary.LittleEndian.Uint64(f.target[i:]) {
		return 0
	}
	return common(f.target[i:], f.base[b:])
}

// agreeing counts the bytes of target[i:i+n] that are equal when aligned by
// shift.
func (f *finder) agreeing(i, n, shift int) int {
	lo, hi := max(i, -shift), min(i+n, len(f.base)-shift)
	if lo >= hi {
		return 0
	}
	return equal(f.target[lo:hi], f.base[lo+shift:hi+shift])
}

// equal counts the bytes that are equal in a and b, which are of one length.
func equal(a, b []byte) (n int) {
	for i := range a {
		if a[i] == b[i] {
			n++
		}
	}
	return n
}

// backwards is how far a match at i can be stretched towards the last run.
func (f *finder) backwards(i, at int) (n int) {
	stop := 0
	if len(f.runs) > 0 {
		stop = f.runs[len(f.runs)-1].End()
	}
	for i-n > stop && at-n > 0 && f.target[i-n-1] == f.base[at-n-1] {
		n++
	}
	return n
}

func (f *finder) add(i, at, n int) {
	f.runs = append(f.runs, Match{Target: i, Base: at, Length: n})
}
