package zdeflate

import "math/bits"

// A FirstBlock is what a deflate stream's first block shows of its encoder.
type FirstBlock struct {
	Stored  bool
	Final   bool // it is also the last
	Symbols int
	Size    int      // of its content
	Short   bool     // it has a match of length 3
	Start   []Symbol // its first symbols
}

// startSymbols is how many symbols are kept.
const startSymbols = 1 << 14

// ReadFirstBlock takes the first block of a deflate stream apart. It is false
// for a block that is damaged or goes on beyond p.
func ReadFirstBlock(p []byte) (FirstBlock, bool) {
	r := bitReader{p: p}
	b := FirstBlock{Final: r.take(1) == 1}
	switch r.take(2) {
	case storedBlock:
		b.Stored = true
		return b, !r.cut
	case staticBlock:
		return b, b.read(&r, newDecoder(lengthsOf(staticLiterals[:])), newDecoder(lengthsOf(staticDists[:])))
	case dynamicBlock:
		literal, dist, ok := r.takeTrees()
		return b, ok && b.read(&r, literal, dist)
	}
	return b, false
}

// read takes the symbols of a block.
func (b *FirstBlock) read(r *bitReader, literal, dist *decoder) bool {
	for !r.cut {
		s, ok := literal.take(r)
		switch {
		case !ok || s > endOfBlock+lengthCodes:
			return false
		case s == endOfBlock:
			return !r.cut
		case s < literals:
			b.add(Symbol{0, uint8(s)}, 1)
			continue
		}
		c := s - literals - 1
		length := lengthBase[c] + uint8(r.take(uint(lengthExtra[c])))
		d, ok := dist.take(r)
		if !ok || d >= distSize {
			return false
		}
		b.Short = b.Short || length == 0
		b.add(Symbol{distBase[d] + uint16(r.take(uint(distExtra[d]))) + 1, length}, int(length)+minMatch)
	}
	return false
}

func (b *FirstBlock) add(s Symbol, size int) {
	b.Symbols++
	b.Size += size
	if len(b.Start) < startSymbols {
		b.Start = append(b.Start, s)
	}
}

// takeTrees takes the trees of a dynamic block.
func (r *bitReader) takeTrees() (literal, dist *decoder, ok bool) {
	literalSize, distSize, lengths := 257+int(r.take(5)), 1+int(r.take(5)), minLengthsCodes+int(r.take(4))
	var order [lengthsSize]uint8
	for _, c := range lengthsOrder[:lengths] {
		order[c] = uint8(r.take(3))
	}
	codes := newDecoder(order[:])
	all := make([]uint8, 0, literalSize+distSize+maxRepeatLong)
	for len(all) < literalSize+distSize {
		s, ok := codes.take(r)
		last, n := uint8(0), 1
		switch {
		case !ok || r.cut || s == repeatLast && len(all) == 0:
			return nil, nil, false
		case s < repeatLast:
			last = uint8(s)
		case s == repeatLast:
			last, n = all[len(all)-1], minRepeat+int(r.take(2))
		case s == repeatZero:
			n = minRepeat + int(r.take(3))
		default:
			n = minRepeatLong + int(r.take(7))
		}
		for range n {
			all = append(all, last)
		}
	}
	return newDecoder(all[:literalSize]), newDecoder(all[literalSize : literalSize+distSize]), true
}

// A decoder reads the symbols of a Huffman code: for each value of the next 15
// bits the symbol, shifted by 4, and the bits that it takes.
type decoder [1 << maxBits]uint16

func lengthsOf(tree []node) []uint8 {
	l := make([]uint8, len(tree))
	for i, n := range tree {
		l[i] = uint8(n.length)
	}
	return l
}

// newDecoder makes the decoder of code lengths. Values that no code begins have
// no bits.
func newDecoder(lengths []uint8) *decoder {
	d := &decoder{}
	code := 0
	for n := 1; n <= maxBits; n++ {
		for s, l := range lengths {
			if int(l) != n {
				continue
			}
			if code >= 1<<n {
				return &decoder{}
			}
			for v := int(bits.Reverse16(uint16(code)) >> (16 - n)); v < len(d); v += 1 << n {
				d[v] = uint16(s)<<4 | uint16(n)
			}
			code++
		}
		code <<= 1
	}
	return d
}

func (d *decoder) take(r *bitReader) (int, bool) {
	r.fill()
	e := d[r.bits&(1<<maxBits-1)]
	r.drop(uint(e & 15))
	return int(e >> 4), e != 0
}

// A bitReader reads bits, the lowest first.
type bitReader struct {
	p     []byte
	bits  uint64
	count uint
	cut   bool // more was taken than there is
}

func (r *bitReader) fill() {
	for r.count <= 56 && len(r.p) > 0 {
		r.bits |= uint64(r.p[0]) << r.count
		r.p = r.p[1:]
		r.count += 8
	}
}

func (r *bitReader) drop(n uint) {
	if n > r.count {
		r.cut = true
		n = r.count
	}
	r.bits >>= n
	r.count -= n
}

func (r *bitReader) take(n uint) uint32 {
	r.fill()
	v := uint32(r.bits) & (1<<n - 1)
	r.drop(n)
	return v
}
