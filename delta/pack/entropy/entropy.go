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

// Limits of how slow a probability gets: it moves by one part in about the
// limit.
const (
	Fast = 30
	Slow = 255
)

// Update tells what the bit was.
func (p *Prob) Update(bit int, limit uint32) {
	v := uint32(*p)
	n := v & 1023
	if n < limit {
		v++
	}
	target := int64(uint32(-bit) >> 10) // all ones of 22 bits, or 0
	have := int64(v >> 10)
	// The distance is rounded down on either side. No branch: bits are what a
	// processor cannot foresee.
	sign := (target - have) >> 63
	step := ((target - have) ^ sign) - sign
	step = step * int64(rates[n]) >> 16
	have += (step ^ sign) - sign
	*p = Prob(uint32(have)<<10 | v&1023)
}

// rates has 65536/(n+1.6) for each count.
var rates = func() (r [1024]uint32) {
	for n := range r {
		r[n] = uint32(655360 / (10*n + 16))
	}
	return r
}()

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
	p.Update(bit, limit)
}

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

// A Decoder reads what an Encoder wrote; behind the end it reads zeros.
type Decoder struct {
	in    []byte
	code  uint32
	width uint32
}

// Reset begins to read b.
func (d *Decoder) Reset(b []byte) {
	*d = Decoder{in: b, width: 1<<32 - 1}
	for range 4 {
		d.code = d.code<<8 | uint32(d.next())
	}
}

func (d *Decoder) next() byte {
	if len(d.in) == 0 {
		return 0
	}
	b := d.in[0]
	d.in = d.in[1:]
	return b
}

// Bit reads a bit whose probability of being 1 is p/65536.
func (d *Decoder) Bit(p uint32) (bit int) {
	bound := d.width >> 16 * p
	is := uint32((int64(d.code) - int64(bound)) >> 63) // all ones where the bit is 1
	d.code -= bound &^ is
	d.width = bound&is | (d.width-bound)&^is
	bit = int(is & 1)
	for d.width < top {
		d.width <<= 8
		d.code = d.code<<8 | uint32(d.next())
	}
	return bit
}

// Adaptive reads a bit and tells its probability.
func (d *Decoder) Adaptive(p *Prob, limit uint32) int {
	bit := d.Bit(p.P())
	p.Update(bit, limit)
	return bit
}

// Direct reads n bits, each as likely as not.
func (d *Decoder) Direct(n int) (v uint32) {
	for range n {
		v = v<<1 | uint32(d.Bit(1<<15))
	}
	return v
}
