package entropy

import "math/bits"

// Inputs is how many probabilities a Mixer takes at most.
const Inputs = 6

// A Mixer makes one probability of several: it weighs them in the logistic
// domain, and weighs those more that were right.
type Mixer struct {
	n       int
	weights []int32 // 16 bits behind the point; n for each set
	set     []int32
	in      [Inputs]int32
	p       int32
}

// NewMixer is for n probabilities, with sets of weights that may be chosen from.
func NewMixer(n, sets int) *Mixer {
	m := &Mixer{n: n, weights: make([]int32, n*sets)}
	m.Reset()
	return m
}

// Reset forgets what was learned.
func (m *Mixer) Reset() {
	for i := range m.weights {
		m.weights[i] = int32((1<<16 + 1<<14) / m.n)
	}
}

// Mix gives the probability of a bit, in 1/65536, from those of the slots.
func (m *Mixer) Mix(set int, slots []*Prob) uint32 {
	m.set = m.weights[set*m.n:][:m.n]
	var sum int64
	for i, p := range slots {
		s := stretch[*p>>20]
		m.in[i] = s
		sum += int64(s) * int64(m.set[i])
	}
	m.p = squash(int32(sum >> 16))
	return uint32(m.p)
}

// Update tells the bit that was mixed for.
func (m *Mixer) Update(bit int) {
	err := (int32(bit)<<16 - m.p) * rate
	for i := range m.set {
		m.set[i] += int32((int64(m.in[i])*int64(err) + 1<<17) >> 18)
	}
}

const rate = 14

// reach bounds the logistic domain; a unit of it is 1/256.
const reach = 2047

// stretch has ln(p/(1-p))·256 for p in 1/4096, and squashed its inverse in
// 1/65536. They are computed with integers, by steps of a power of e.
var stretch, squashed = logistic()

func squash(x int32) int32 {
	return squashed[min(max(x, -reach), reach)+reach]
}

func logistic() (st [4096]int32, sq [2*reach + 1]int32) {
	// e^(1/256) in 1/2^56.
	const step = 72339619486979959
	power := uint64(1) << 56 // e^(x/256) in 1/2^shift
	shift := uint(56)
	for x := 0; x <= reach; x++ {
		// p = e/(e+1), with 16 bits behind the point.
		hi, lo := bits.Mul64(power>>8, 65536)
		q, _ := bits.Div64(hi, lo, power>>8+1<<(shift-8))
		p := min(int32(q), 65535-16)
		sq[reach+x], sq[reach-x] = p, 65536-p
		hi, lo = bits.Mul64(power, step)
		power = hi<<8 | lo>>56
		for power >= 1<<61 {
			power >>= 1
			shift--
		}
	}
	x := 0
	for i := range st {
		p := int32(i)<<4 + 8
		for x < 2*reach && sq[x+1] <= p {
			x++
		}
		st[i] = int32(x - reach)
	}
	return st, sq
}
