package pack

import (
	"math"

	"github.com/flotobuild/flotobuild/delta/pack/entropy"
)

// priceOf has the cost of an event of a probability in 1/4096, in sixteenths of
// a bit. It only guides the encoder.
var priceOf = func() (p [4096]uint32) {
	for i := range p {
		p[i] = uint32(-math.Log2((float64(i)+0.5)/4096)*16 + 0.5)
	}
	return p
}()

func price(p entropy.Prob, bit int) uint32 {
	v := p.P() >> 4
	if bit == 0 {
		v = 4095 - v
	}
	return priceOf[v]
}

func treePrice(p []entropy.Prob, bits, v int) (sum uint32) {
	node := 1
	for i := bits - 1; i >= 0; i-- {
		bit := v >> i & 1
		sum += price(p[node], bit)
		node = node<<1 | bit
	}
	return sum
}

// prices are those of lengths and distances, computed now and then.
type prices struct {
	length [2][positions][maxLength + 1]uint32
	slot   [4][slots]uint32
	footer [4][128]uint32 // of whole distances below 128
	align  [1 << alignBits]uint32
}

func (p *prices) compute(m *repeatModel) {
	for k := range p.length {
		l := &m.lengths[k]
		for pos := range positions {
			for n := minLength; n <= maxLength; n++ {
				p.length[k][pos][n] = lengthPrice(l, pos, n-minLength)
			}
		}
	}
	for set := range p.slot {
		for s := range slots {
			p.slot[set][s] = treePrice(m.distance[set][:], 6, s)
			if s >= 14 {
				p.slot[set][s] += uint32(s/2-1-alignBits) * 16
			}
		}
		for d := range uint32(128) {
			s := slotOf(d)
			p.footer[set][d] = p.slot[set][s]
			if s >= 4 {
				n := s/2 - 1
				p.footer[set][d] += treePrice(m.footer[s][:], n, int(d&(1<<n-1)))
			}
		}
	}
	for v := range p.align {
		p.align[v] = treePrice(m.align[:], alignBits, v)
	}
}

func lengthPrice(l *lengthModel, pos, n int) uint32 {
	switch {
	case n < 8:
		return price(l.choice[0], 0) + treePrice(l.low[pos][:], 3, n)
	case n < 16:
		return price(l.choice[0], 1) + price(l.choice[1], 0) + treePrice(l.middle[pos][:], 3, n-8)
	}
	return price(l.choice[0], 1) + price(l.choice[1], 1) + treePrice(l.high[:], 8, n-16)
}

func (p *prices) distance(length int, d uint32) uint32 {
	set := distanceSet(length)
	if d < 128 {
		return p.footer[set][d]
	}
	return p.slot[set][slotOf(d)] + p.align[d&(1<<alignBits-1)]
}

// literalPrice is that of the byte v with the probabilities of a literal.
func literalPrice(order1, unlike *entropy.Byte, v byte) (sum uint32) {
	at := 0
	for _, half := range [2]byte{v >> 4, v & 15} {
		node := byte(1)
		for i := 3; i >= 0; i-- {
			bit := half >> i & 1
			p := order1[at][node&15]
			if unlike != nil {
				p = entropy.Prob((p.P() + 3*unlike[at][node&15].P()) / 4 << 16)
			}
			sum += price(p, int(bit))
			node = node<<1 | bit
		}
		at = 1 + int(half)
	}
	return sum
}
