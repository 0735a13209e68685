package pack

import (
	"github.com/flotobuild/flotobuild/delta/pack/entropy"
)

// A byteModel codes bytes in the context of those before.
type byteModel struct {
	fast   bool
	mix    *entropy.Mixer
	probs  [3][]entropy.Prob
	slots  [3]*entropy.Prob
	before uint32 // the last 4 bytes
}

// hashBits is the size of the contexts of more than one byte.
const hashBits = 18

func newByteModel(fast bool) *byteModel {
	m := &byteModel{fast: fast, mix: entropy.NewMixer(3, 256)}
	for i, n := range []int{256, 256 << 8, 1 << hashBits} {
		m.probs[i] = make([]entropy.Prob, n)
		entropy.Fill(m.probs[i])
	}
	return m
}

func (m *byteModel) code(c coder, v byte) byte {
	b := m.before
	if m.fast {
		return m.order1(c, v)
	}
	at := [3]uint32{0, b & 255 << 8, spread(b&0xFFFF | 2<<24)}
	node := uint32(1)
	for i := 7; i >= 0; i-- {
		m.slots[0] = &m.probs[0][node]
		m.slots[1] = &m.probs[1][at[1]|node]
		m.slots[2] = &m.probs[2][(at[2]+node*0x9E3779B1)>>(32-hashBits)]
		bit := c.bit(int(v>>i&1), m.mix.Mix(int(node), m.slots[:]))
		m.mix.Update(bit)
		for j, p := range m.slots {
			p.Update(bit, byteLimits[j])
		}
		node = node<<1 | uint32(bit)
	}
	m.before = b<<8 | node&255
	return byte(node)
}

// order1 is code in the context of one byte.
func (m *byteModel) order1(c coder, v byte) byte {
	p := m.probs[1][m.before&255<<8:][:256]
	node := uint32(1)
	for i := 7; i >= 0; i-- {
		bit := c.bit(int(v>>i&1), p[node].P())
		p[node].Update(bit, entropy.Slow)
		node = node<<1 | uint32(bit)
	}
	m.before = node & 255
	return byte(node)
}

var byteLimits = [3]uint32{entropy.Slow, entropy.Slow, 127}

// spread makes a number with many different bits of v.
func spread(v uint32) uint32 {
	v *= 0x85EBCA6B
	v ^= v >> 15
	return v * 0xC2B2AE35
}

func packBytes(raw []byte, fast bool) []byte {
	m := newByteModel(fast)
	e := &encoder{}
	e.Reset(nil)
	for _, v := range raw {
		m.code(e, v)
	}
	return e.Finish()
}

func unpackBytes(packed []byte, size int, fast bool) []byte {
	m := newByteModel(fast)
	d := &decoder{}
	d.Reset(packed)
	raw := make([]byte, size)
	for i := range raw {
		raw[i] = m.code(d, 0)
	}
	return raw
}
