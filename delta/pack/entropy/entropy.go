// Package entropy codes bits with the probabilities that models give: a binary
// range coder, adaptive probabilities, and a mixer of several of these.
//
// What it writes is part of the format of deltas: a change of any constant
// makes another format. All arithmetic is on integers, and so the same on every
// machine.
package entropy

// A Prob is the probability of a bit being 1, in its upper 22 bits, and how
// often it was told, in the lower 10. It moves fast at first and slower then.
type Prob uint32

// Even is a probability of one half that nothing is known of.
const Even Prob = 1 << 31

// P gives the probability in 1/65536; it is neither 0 nor 1.
func (p Prob) P() uint32 { return uint32(p)>>16 | 1 }

// Told gives the probability after a bit. Its memory reaches back about limit
// bits. No branch depends on the bit: bits are what a processor cannot foresee.
func (p Prob) Told(bit, limit uint32) Prob {
	n := uint32(p) & 1023
	step := (int64(-bit>>10) - int64(p>>10)) * int64(rates[n]) >> 16
	if n < limit {
		p++
	}
	return p + Prob(step)<<10
}

// rates has 65536/(n+1.6) for each count.
var rates = func() (r [1024]int32) {
	for n := range r {
		r[n] = int32(655360 / (10*n + 16))
	}
	return r
}()

// A Nibble has the probabilities of the bits of a number of 4 bits, by those
// before them with a 1 above: it fits a cache line.
type Nibble [16]Prob

// A Byte has those of the upper half of a byte, and of the lower half by the
// upper.
type Byte [17]Nibble

// Fill makes all probabilities even.
func Fill(p []Prob) {
	for i := range p {
		p[i] = Even
	}
}

// top is the range below which a byte is moved out.
const top = 1 << 24

// An Encoder writes bits. Its zero is ready after Reset.
type Encoder struct {
	out   []byte
	low   uint64
	width uint32
	cache byte
	held  int // bytes that a carry may still change, cache first
}

// Reset begins to append to dst.
func (e *Encoder) Reset(dst []byte) {
	*e = Encoder{out: dst, width: 1<<32 - 1}
}

// Bit writes a bit whose probability of being 1 is p/65536, which is neither 0
// nor 1.
func (e *Encoder) Bit(bit int, p uint32) {
	bound := e.width >> 16 * p
	if bit != 0 {
		e.width = bound
	} else {
		e.low += uint64(bound)
		e.width -= bound
	}
	for e.width < top {
		e.width <<= 8
		e.shift()
	}
}

// Adaptive writes a bit and tells its probability.
func (e *Encoder) Adaptive(bit int, p *Prob, limit uint32) {
	e.Bit(bit, p.P())
	*p = p.Told(uint32(bit), limit)
}

// Nibble writes the 4 bits of v.
func (e *Encoder) Nibble(v byte, p *Nibble, limit uint32) {
	node := byte(1)
	for i := 3; i >= 0; i-- {
		bit := v >> i & 1
		e.Adaptive(int(bit), &p[node&15], limit)
		node = node<<1 | bit
	}
}

// Nibble2 does so by two opinions, of which the second counts three times.
func (e *Encoder) Nibble2(v byte, p, q *Nibble, limit uint32) {
	node := byte(1)
	for i := 3; i >= 0; i-- {
		bit := v >> i & 1
		a, b := &p[node&15], &q[node&15]
		e.Bit(int(bit), mean(*a, *b))
		*a, *b = a.Told(uint32(bit), limit), b.Told(uint32(bit), limit)
		node = node<<1 | bit
	}
}

// mean weighs q three times as much as p.
func mean(p, q Prob) uint32 { return (p.P() + 3*q.P()) / 4 }

// Direct writes the lower n bits of v, each as likely as not.
func (e *Encoder) Direct(v uint32, n int) {
	for n--; n >= 0; n-- {
		e.Bit(int(v>>n&1), 1<<15)
	}
}

func (e *Encoder) shift() {
	if e.held == 0 || e.low < 0xFF000000 || e.low >= 1<<32 {
		carry := byte(e.low >> 32)
		if e.held > 0 {
			e.out = append(e.out, e.cache+carry)
			for ; e.held > 1; e.held-- {
				e.out = append(e.out, 0xFF+carry)
			}
			e.held = 0
		}
		e.cache = byte(e.low >> 24)
	}
	e.held++
	e.low = e.low & 0x00FFFFFF << 8
}

// Finish gives all that was written.
func (e *Encoder) Finish() []byte {
	for range 5 {
		e.shift()
	}
	// A decoder takes zeros behind the end.
	for n := len(e.out); n > 0 && e.out[n-1] == 0; n-- {
		e.out = e.out[:n-1]
	}
	return e.out
}
