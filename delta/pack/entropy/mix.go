package entropy

import "math/bits"

// Inputs is how many probabilities a Mixer takes.
const Inputs = 4

// A Mixer makes one probability of several: it weighs them in the logistic
// domain, and weighs those more that were right.
type Mixer struct {
	weights [][Inputs]int32 // 16 bits behind the point, by set
	set     *[Inputs]int32
	in      [Inputs]int32
	p       int32
}

// NewMixer has sets of weights that may be chosen from.
func NewMixer(sets int) *Mixer {
	m := &Mixer{weights: make([][Inputs]int32, sets)}
	for i := range m.weights {
		for j := range m.weights[i] {
			m.weights[i][j] = (1<<16 + 1<<14) / Inputs
		}
	}
	return m
}

// Mix gives the probability of a bit, in 1/65536, from several.
func (m *Mixer) Mix(set int, p *[Inputs]Prob) uint32 {
	w := &m.weights[set]
	m.set = w
	m.in = [Inputs]int32{stretch[p[0]>>20], stretch[p[1]>>20], stretch[p[2]>>20], stretch[p[3]>>20]}
	sum := int64(m.in[0])*int64(w[0]) + int64(m.in[1])*int64(w[1]) + int64(m.in[2])*int64(w[2]) + int64(m.in[3])*int64(w[3])
	m.p = squash(int32(sum >> 16))
	return uint32(m.p)
}

// Update tells the bit that was mixed for.
func (m *Mixer) Update(bit int) {
	err := int64(int32(bit)<<16-m.p) * rate
	for i := range m.set {
		m.set[i] += int32((int64(m.in[i])*err + 1<<17) >> 18)
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
