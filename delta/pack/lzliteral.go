package pack

import (
	"math/bits"

	"github.com/flotobuild/flotobuild/delta/pack/entropy"
)

// longerBits gives the size of the tables of contexts of 2 and 3 bytes, as a
// power of 2, for a stream of size bytes.
func longerBits(size int) int { return min(max(bits.Len(uint(size))+2, 10), 20) }

// byte codes the byte at i of b, which has all before it, and gives it.
func (m *repeatModel) byte(c coder, b []byte, i, state int, distance uint32, v byte) byte {
	order1, unlike := m.literals(b, i, state, distance)
	if m.mixer != nil {
		return m.mixed(c, b[:i], order1, unlike, v)
	}
	node := 1
	for k := 7; k >= 0; k-- {
		node = node<<1 | literalBit(c, order1, unlike, node, int(v>>k&1))
	}
	return byte(node)
}

// literalBit codes a bit with the mean of what both contexts say.
func literalBit(c coder, order1, unlike *[256]entropy.Prob, node, bit int) int {
	if unlike == nil {
		bit = c.bit(bit, order1[node].P())
		order1[node].Update(bit, limit)
		return bit
	}
	bit = c.bit(bit, (order1[node].P()+3*unlike[node].P())/4)
	order1[node].Update(bit, limit)
	unlike[node].Update(bit, limit)
	return bit
}

// mixed codes a byte with the weighed mean of what all contexts say.
func (m *repeatModel) mixed(c coder, before []byte, order1, unlike *[256]entropy.Prob, v byte) byte {
	var last uint32
	for _, b := range before[max(0, len(before)-3):] {
		last = last<<8 | uint32(b)
	}
	two, three := spread(last&0xFFFF|1<<24), spread(last|2<<24)
	set := 0
	if unlike == nil {
		unlike, set = order1, 256
	}
	var slots [4]*entropy.Prob
	shift := m.shift
	node := uint32(1)
	for k := 7; k >= 0; k-- {
		slots[0], slots[1] = &order1[node], &unlike[node]
		slots[2] = &m.longer[0][(two+node*0x9E3779B1)>>shift]
		slots[3] = &m.longer[1][(three+node*0x9E3779B1)>>shift]
		bit := c.bit(int(v>>k&1), m.mixer.Mix(set+int(node), slots[:]))
		m.mixer.Update(bit)
		for j, p := range slots {
			if j != 1 || set == 0 {
				p.Update(bit, limit)
			}
		}
		node = node<<1 | uint32(bit)
	}
	return byte(node)
}
