package pack

import (
	"math/bits"

	"github.com/flotobuild/flotobuild/delta/pack/entropy"
)

// The coder "Repeats" is of the family of LZ77: literals, and references to what
// stood at a distance before, 4 last distances being remembered. All its bits
// have adaptive probabilities. See docs/delta-format.md.

// What was coded last, two of which are a state.
const (
	wasLiteral = iota
	wasReference
	wasAgain // at one of the last distances
	wasShort // one byte at the last distance
	kinds
)

const (
	states    = kinds * kinds
	minLength = 2
	// maxLength is that of a reference: three ranges of lengths, of 8, 8 and
	// 256.
	maxLength = minLength + 8 + 8 + 256 - 1
	positions = 4 // places of a byte in a word that are told apart
	recent    = 4 // distances that are remembered
	slots     = 64
	alignBits = 4
)

// A lengthModel has the probabilities of lengths.
type lengthModel struct {
	choice [2]entropy.Prob
	low    [positions][8]entropy.Prob
	middle [positions][8]entropy.Prob
	high   [256]entropy.Prob
}

// A repeatModel has all probabilities of the coder.
type repeatModel struct {
	reference [states][positions]entropy.Prob
	again     [states]entropy.Prob
	older     [states][3]entropy.Prob
	short     [states][positions]entropy.Prob
	lengths   [2]lengthModel
	distance  [4][slots]entropy.Prob
	footer    [slots][32]entropy.Prob
	align     [1 << alignBits]entropy.Prob
	// literal is by the byte before; unlike by the byte that stood at the last
	// distance, which is not the one, since a reference ended here.
	literal [256]entropy.Byte
	unlike  [3][256]entropy.Byte
	// mixer weighs both and, by hashes of them, the 2 and 3 bytes before; nil
	// where time counts more.
	mixer  *entropy.Mixer
	longer [2][]entropy.Nibble
	shift  int // of a hash, to a place in longer
}

func newRepeatModel(fast bool, size int) *repeatModel {
	m := &repeatModel{}
	m.each(entropy.Fill)
	if fast {
		return m
	}
	m.mixer = entropy.NewMixer(512)
	m.shift = 32 - longerBits(size)
	for i := range m.longer {
		m.longer[i] = make([]entropy.Nibble, 1<<longerBits(size))
		for j := range m.longer[i] {
			entropy.Fill(m.longer[i][j][:])
		}
	}
	return m
}

// each calls f with all probabilities.
func (m *repeatModel) each(f func([]entropy.Prob)) {
	for i := range m.reference {
		f(m.reference[i][:])
		f(m.older[i][:])
		f(m.short[i][:])
	}
	f(m.again[:])
	for i := range m.lengths {
		l := &m.lengths[i]
		f(l.choice[:])
		f(l.high[:])
		for j := range l.low {
			f(l.low[j][:])
			f(l.middle[j][:])
		}
	}
	for i := range m.distance {
		f(m.distance[i][:])
	}
	for i := range m.footer {
		f(m.footer[i][:])
	}
	f(m.align[:])
	for i := range m.literal {
		for n := range m.literal[i] {
			f(m.literal[i][n][:])
			for j := range m.unlike {
				f(m.unlike[j][i][n][:])
			}
		}
	}
}

// next gives the state behind one of kinds.
func next(state, kind int) int { return state%kinds*kinds + kind }

// slotOf gives the slot of a distance less 1: its two highest bits and their
// place.
func slotOf(d uint32) int {
	if d < 4 {
		return int(d)
	}
	n := bits.Len32(d)
	return 2*(n-1) + int(d>>(n-2)&1)
}

// distanceSet tells short lengths apart, which go with short distances.
func distanceSet(length int) int { return min(length-minLength, 3) }

// limit is how slow the probabilities of this coder get.
const limit = 70

// literals gives the probabilities for a literal at i of b.
func (m *repeatModel) literals(b []byte, i, state int, distance uint32) (order1, unlike *entropy.Byte) {
	before := byte(0)
	if i > 0 {
		before = b[i-1]
	}
	if state%kinds == wasLiteral || int(distance) >= i {
		return &m.literal[before], nil
	}
	return &m.literal[before], &m.unlike[state%kinds-1][b[i-1-int(distance)]]
}
