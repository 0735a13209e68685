package pack

import (
	"math/bits"

	"github.com/flotobuild/flotobuild/delta/pack/entropy"
)

// longerBits gives the size of the tables of contexts of 2 and 3 bytes, as a
// power of 2, for a stream of size bytes.
func longerBits(size int) int { return min(max(bits.Len(uint(size))-2, 6), 16) }

// coder is an encoder or decoder: bit gives the bit that was coded, which is the
// one it is given if it is an encoder.
type coder interface {
	bit(bit int, p uint32) int
}

// mixed codes the byte v, which is of no use to a decoder, with the weighed mean
// of what all contexts say, and gives it. Before has what stands before it.
func (m *repeatModel) mixed(c coder, before []byte, order1, unlike *entropy.Byte, v byte) byte {
	var last uint32
	for _, b := range before[max(0, len(before)-3):] {
		last = last<<8 | uint32(b)
	}
	two, three := spread(last&0xFFFF|1<<24), spread(last|2<<24)
	set := 0
	if unlike == nil {
		unlike, set = order1, 256
	}
	high := m.nibble(c, set, 1, [entropy.Inputs]*entropy.Nibble{
		&order1[0], &unlike[0], &m.longer[0][two>>m.shift], &m.longer[1][three>>m.shift],
	}, v>>4)
	two, three = spread(two+uint32(high)), spread(three+uint32(high))
	low := m.nibble(c, set, int(16|high), [entropy.Inputs]*entropy.Nibble{
		&order1[1+high], &unlike[1+high], &m.longer[0][two>>m.shift], &m.longer[1][three>>m.shift],
	}, v&15)
	return high<<4 | low
}

// nibble codes 4 bits of a byte. Node is those before them, with a 1 above.
func (m *repeatModel) nibble(c coder, set, node int, by [entropy.Inputs]*entropy.Nibble, v byte) byte {
	at := byte(1)
	for i := 3; i >= 0; i-- {
		n := at & 15
		p := [entropy.Inputs]entropy.Prob{by[0][n], by[1][n], by[2][n], by[3][n]}
		bit := c.bit(int(v>>i&1), m.mixer.Mix(set+node, &p))
		m.mixer.Update(bit)
		for j := range by {
			by[j][n] = p[j].Told(uint32(bit), limit)
		}
		at = at<<1 | byte(bit)
		node = node<<1 | bit
	}
	return at & 15
}

// spread makes a number with many different bits of v.
func spread(v uint32) uint32 {
	v *= 0x85EBCA6B
	v ^= v >> 15
	return v * 0xC2B2AE35
}
