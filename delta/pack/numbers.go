package pack

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/flotobuild/flotobuild/delta/pack/entropy"
)

// A numberModel codes numbers: the count of their bits, in the context of the
// numbers before, then the bits behind the first.
type numberModel struct {
	fast   bool
	mix    *entropy.Mixer
	tree   []entropy.Prob    // of large counts, by the last count
	counts [3][]entropy.Prob // by context and place in the tree of 6 bits
	high   []entropy.Prob    // the 4 bits behind the first, by count
	low    []entropy.Prob    // the others, by count and place
	a, b   int               // counts of the last numbers
	last   uint64
	slots  [3]*entropy.Prob
}

// lowModeled is how many of the lowest bits have no model.
const lowModeled = 20

func newNumberModel(fast bool) *numberModel {
	m := &numberModel{fast: fast, tree: make([]entropy.Prob, 65*64), mix: entropy.NewMixer(3, 64), high: make([]entropy.Prob, 65*16), low: make([]entropy.Prob, 65*64)}
	for i, n := range []int{65, 65 * 65, 17 * 65} {
		m.counts[i] = make([]entropy.Prob, n*64)
		entropy.Fill(m.counts[i])
	}
	entropy.Fill(m.tree)
	entropy.Fill(m.high)
	entropy.Fill(m.low)
	return m
}

// coder is an encoder or decoder: bit gives the bit that was coded, which is the
// one it is given if it is an encoder.
type coder interface {
	bit(bit int, p uint32) int
}

type encoder struct{ entropy.Encoder }

func (e *encoder) bit(bit int, p uint32) int {
	e.Bit(bit, p)
	return bit
}

type decoder struct{ entropy.Decoder }

func (d *decoder) bit(_ int, p uint32) int { return d.Bit(p) }

// code codes v, which is of no use to a decoder, and gives it.
func (m *numberModel) code(c coder, v uint64) uint64 {
	n := m.count(c, bits.Len64(v))
	m.a, m.b = n, m.a
	if n <= 1 {
		m.last = uint64(n)
		return uint64(n)
	}
	out := uint64(1)
	for i := n - 2; i >= 0; i-- {
		bit := int(v >> i & 1)
		switch done := n - 2 - i; {
		case done < 4:
			p := &m.high[n*16+int(out&(1<<done-1)|1<<done)]
			bit = c.bit(bit, p.P())
			p.Update(bit, entropy.Slow)
		case i < lowModeled:
			p := &m.low[n*64+i]
			bit = c.bit(bit, p.P())
			p.Update(bit, entropy.Slow)
		default:
			bit = c.bit(bit, 1<<15)
		}
		out = out<<1 | uint64(bit)
	}
	m.last = out
	return out
}

// unary is how many counts have a bit of their own; larger ones have a tree.
const unary = 4

// count codes a number below 64.
func (m *numberModel) count(c coder, n int) int {
	small := int(min(m.last, 15))
	contexts := [3]int{m.a * 64, (m.a*64 + m.b) * 64, (small*64 + m.b) * 64}
	for i := range unary {
		bit := 0
		if n > i {
			bit = 1
		}
		if m.bit(c, &contexts, i, bit) == 0 {
			return i
		}
	}
	tree := m.tree[m.a*64:][:64]
	node := 1
	for i := 5; i >= 0; i-- {
		bit := c.bit((n-unary)>>i&1, tree[node].P())
		tree[node].Update(bit, entropy.Slow)
		node = node<<1 | bit
	}
	return min(node-64+unary, 64)
}

var limits = [3]uint32{entropy.Slow, entropy.Slow, 127}

// bit codes a bit of a count: with all contexts, or the first alone.
func (m *numberModel) bit(c coder, contexts *[3]int, node, bit int) int {
	if m.fast {
		p := &m.counts[0][contexts[0]+node]
		bit = c.bit(bit, p.P())
		p.Update(bit, entropy.Slow)
		return bit
	}
	for j, x := range contexts {
		m.slots[j] = &m.counts[j][x+node]
	}
	bit = c.bit(bit, m.mix.Mix(node, m.slots[:]))
	m.mix.Update(bit)
	for j, p := range m.slots {
		p.Update(bit, limits[j])
	}
	return bit
}

// packNumbers packs a stream of uvarints; ok is false where raw is none.
func packNumbers(raw []byte, fast bool) (packed []byte, ok bool) {
	m := newNumberModel(fast)
	e := &encoder{}
	n := 0
	for b := raw; len(b) > 0; n++ {
		_, size := binary.Uvarint(b)
		if size <= 0 || size > 1 && b[size-1] == 0 {
			return nil, false
		}
		b = b[size:]
	}
	e.Reset(binary.AppendUvarint(nil, uint64(n)))
	for b := raw; len(b) > 0; {
		v, size := binary.Uvarint(b)
		m.code(e, v)
		b = b[size:]
	}
	return e.Finish(), true
}

func unpackNumbers(packed []byte, size int, fast bool) ([]byte, error) {
	n, head := binary.Uvarint(packed)
	if head <= 0 || n > uint64(size) {
		return nil, fmt.Errorf("%w: it has %d numbers in %d bytes", ErrMalformed, n, size)
	}
	m := newNumberModel(fast)
	d := &decoder{}
	d.Reset(packed[head:])
	raw := make([]byte, 0, size+binary.MaxVarintLen64)
	for range n {
		raw = binary.AppendUvarint(raw, m.code(d, 0))
		if len(raw) > size {
			break
		}
	}
	if len(raw) != size {
		return nil, fmt.Errorf("%w: it has not %d bytes of numbers", ErrMalformed, size)
	}
	return raw, nil
}
