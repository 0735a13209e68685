package match

import (
	"encoding/binary"
	"math/bits"
)

// seed is the length of the strings that the index finds.
const seed = 8

// An Index finds where 8 bytes stand in a base. It keeps every position of a
// base that fits its capacity, and every 2nd, 4th… of a larger one. It is used
// for one base after the other, so that its memory is taken once. It is not
// safe for concurrent use.
type Index struct {
	base   []byte
	stride int
	shift  uint
	head   []int32 // position/stride + 1 of the first in the chain, by hash
	next   []int32 // the same, of the next one, by position/stride
	filter []uint64
}

// Reset makes x an index of base with at most capacity positions, which must
// be positive. It takes about 10 bytes for each.
func (x *Index) Reset(base []byte, capacity int) {
	x.base, x.stride = base, 1
	for len(base)/x.stride > capacity {
		x.stride *= 2
	}
	n := max(len(base)-seed+1, 0)/x.stride + 1
	width := max(bits.Len(uint(n)), 8)
	x.shift = uint(64 - width)
	x.head = zeroed(x.head, 1<<width)
	x.next = zeroed(x.next, n)
	x.filter = zeroed(x.filter, 1<<width>>3)
	// Backwards, so that chains go from low positions to high ones.
	for p := (len(base) - seed) / x.stride * x.stride; p >= 0 && len(base) >= seed; p -= x.stride {
		v := binary.LittleEndian.Uint64(base[p:])
		h := hash(v)
		x.filter[h>>(x.shift-3)>>6] |= 1 << (h >> (x.shift - 3) & 63)
		x.next[p/x.stride] = x.head[h>>x.shift]
		x.head[h>>x.shift] = int32(p/x.stride + 1)
	}
}

func zeroed[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	s = s[:n]
	clear(s)
	return s
}

func hash(v uint64) uint64 {
	v *= 0x9E3779B97F4A7C15
	return v ^ v>>29
}

// depth bounds the candidates that are compared for one position.
const depth = 24

// longest finds the longest exact match of target[i:], which has at least seed
// bytes, and prefers the one nearest to the position near. The length is 0
// where there is none.
func (x *Index) longest(target []byte, i, near int) (at, length int) {
	v := binary.LittleEndian.Uint64(target[i:])
	h := hash(v)
	if x.filter[h>>(x.shift-3)>>6]&(1<<(h>>(x.shift-3)&63)) == 0 {
		return 0, 0
	}
	c := x.head[h>>x.shift]
	for n := 0; c != 0 && n < depth; n++ {
		p := int(c-1) * x.stride
		c = x.next[c-1]
		if binary.LittleEndian.Uint64(x.base[p:]) != v {
			continue
		}
		if length > 0 && (p+length >= len(x.base) || i+length >= len(target) || x.base[p+length] != target[i+length]) &&
			(p+length-1 >= len(x.base) || x.base[p+length-1] != target[i+length-1]) {
			continue
		}
		l := common(target[i:], x.base[p:])
		if l > length || l == length && distance(p, near) < distance(at, near) {
			at, length = p, l
		}
	}
	return at, length
}

func distance(a, b int) int { return max(a-b, b-a) }

// common is the length of the prefix that a and b share.
func common(a, b []byte) int {
	n := min(len(a), len(b))
	i := 0
	for ; i+8 <= n; i += 8 {
		if d := binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:]); d != 0 {
			return i + bits.TrailingZeros64(d)/8
		}
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}
