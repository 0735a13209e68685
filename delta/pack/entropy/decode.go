package entropy

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

func (d *Decoder) next() (b byte) {
	b, d.in = first(d.in)
	return b
}

// Bit reads a bit whose probability of being 1 is p/65536.
func (d *Decoder) Bit(p uint32) (bit int) {
	code, width, is := take(d.code, d.width, p)
	for width < top {
		width <<= 8
		code = code<<8 | uint32(d.next())
	}
	d.code, d.width = code, width
	return int(is & 1)
}

// take reads a bit, and gives it in all 32 bits.
func take(code, width, p uint32) (codeBehind, widthBehind, is uint32) {
	bound := width >> 16 * p
	is = uint32((int64(code) - int64(bound)) >> 63)
	return code - bound&^is, bound&is | (width-bound)&^is, is
}

func first(in []byte) (b byte, rest []byte) {
	if len(in) == 0 {
		return 0, nil
	}
	return in[0], in[1:]
}

// Adaptive reads a bit and tells its probability.
func (d *Decoder) Adaptive(p *Prob, limit uint32) int {
	bit := d.Bit(p.P())
	*p = p.Told(uint32(bit), limit)
	return bit
}

// Tree reads a number of so many bits, whose probabilities are in p by the bits
// before them with a 1 above.
func (d *Decoder) Tree(p []Prob, bits int, limit uint32) int {
	code, width, in := d.code, d.width, d.in // in registers
	var is uint32
	node := uint32(1)
	for range bits {
		q := &p[node]
		code, width, is = take(code, width, q.P())
		*q = q.Told(is&1, limit)
		node = node<<1 | is&1
		for width < top {
			var b byte
			b, in = first(in)
			code, width = code<<8|uint32(b), width<<8
		}
	}
	d.code, d.width, d.in = code, width, in
	return int(node) - 1<<bits
}

// Nibble reads 4 bits.
func (d *Decoder) Nibble(p *Nibble, limit uint32) byte {
	return byte(d.Tree(p[:], 4, limit))
}

// Nibble2 reads 4 bits by two opinions, of which the second counts three times.
func (d *Decoder) Nibble2(p, q *Nibble, limit uint32) byte {
	code, width, in := d.code, d.width, d.in
	var is uint32
	node := uint32(1)
	for range 4 {
		a, b := &p[node&15], &q[node&15]
		code, width, is = take(code, width, mean(*a, *b))
		*a, *b = a.Told(is&1, limit), b.Told(is&1, limit)
		node = node<<1 | is&1
		for width < top {
			var b byte
			b, in = first(in)
			code, width = code<<8|uint32(b), width<<8
		}
	}
	d.code, d.width, d.in = code, width, in
	return byte(node & 15)
}

// Direct reads n bits, each as likely as not.
func (d *Decoder) Direct(n int) (v uint32) {
	for range n {
		v = v<<1 | uint32(d.Bit(1<<15))
	}
	return v
}
