package pack

import (
	"fmt"

	"github.com/flotobuild/flotobuild/delta/pack/entropy"
)

// A repeatDecoder unpacks what the coder Repeats packed.
type repeatDecoder struct {
	entropy.Decoder
	m     *repeatModel
	out   []byte
	last  [recent]uint32 // distances less 1
	state int
}

func unpackRepeats(packed []byte, size int, fast bool) ([]byte, error) {
	d := &repeatDecoder{m: newRepeatModel(fast, size), out: make([]byte, 0, size)}
	d.Reset(packed)
	for len(d.out) < size {
		if err := d.step(size); err != nil {
			return nil, err
		}
	}
	return d.out, nil
}

func (d *repeatDecoder) step(size int) error {
	pos := len(d.out) % positions
	s := d.state
	if d.Adaptive(&d.m.reference[s][pos], limit) == 0 {
		d.literal()
		return nil
	}
	length, kind := 1, wasReference
	switch {
	case d.Adaptive(&d.m.again[s], limit) == 0:
		length = d.length(&d.m.lengths[0], pos)
		distance := d.distance(length)
		copy(d.last[1:], d.last[:])
		d.last[0] = distance
	case d.Adaptive(&d.m.older[s][0], limit) == 1:
		d.older(s)
		length, kind = d.length(&d.m.lengths[1], pos), wasAgain
	case d.Adaptive(&d.m.short[s][pos], limit) == 0:
		kind = wasShort
	default:
		length, kind = d.length(&d.m.lengths[1], pos), wasAgain
	}
	d.state = next(s, kind)
	return d.copy(length, size)
}

// older moves one of the last distances but the first to the front.
func (d *repeatDecoder) older(s int) {
	n := 1
	for n < 3 && d.Adaptive(&d.m.older[s][n], limit) == 1 {
		n++
	}
	v := d.last[n]
	copy(d.last[1:n+1], d.last[:n])
	d.last[0] = v
}

func (d *repeatDecoder) literal() {
	n := len(d.out)
	order1, unlike := d.m.literals(d.out, n, d.state, d.last[0])
	d.state = next(d.state, wasLiteral)
	var v byte
	switch {
	case d.m.mixer != nil:
		v = d.m.mixed(d, d.out, order1, unlike, 0)
	case unlike == nil:
		v = d.Nibble(&order1[0], limit)
		v = v<<4 | d.Nibble(&order1[1+v], limit)
	default:
		v = d.Nibble2(&order1[0], &unlike[0], limit)
		v = v<<4 | d.Nibble2(&order1[1+v], &unlike[1+v], limit)
	}
	d.out = append(d.out, v)
}

func (d *repeatDecoder) bit(_ int, p uint32) int { return d.Bit(p) }

func (d *repeatDecoder) length(m *lengthModel, pos int) int {
	switch {
	case d.Adaptive(&m.choice[0], limit) == 0:
		return minLength + d.Tree(m.low[pos][:], 3, limit)
	case d.Adaptive(&m.choice[1], limit) == 0:
		return minLength + 8 + d.Tree(m.middle[pos][:], 3, limit)
	}
	return minLength + 16 + d.Tree(m.high[:], 8, limit)
}

// distance reads a distance less 1.
func (d *repeatDecoder) distance(length int) uint32 {
	slot := d.Tree(d.m.distance[distanceSet(length)][:], 6, limit)
	if slot < 4 {
		return uint32(slot)
	}
	n := slot/2 - 1 // bits behind the slot's own
	v := uint32(2|slot&1) << n
	if n <= 5 {
		return v + uint32(d.Tree(d.m.footer[slot][:], n, limit))
	}
	v += d.Direct(n-alignBits) << alignBits
	return v + uint32(d.Tree(d.m.align[:], alignBits, limit))
}

// copy appends length bytes from the last distance.
func (d *repeatDecoder) copy(length, size int) error {
	from := len(d.out) - 1 - int(d.last[0])
	if from < 0 || len(d.out)+length > size {
		return fmt.Errorf("%w: it refers to bytes that are not there", ErrMalformed)
	}
	if from+length <= len(d.out) {
		d.out = append(d.out, d.out[from:from+length]...)
		return nil
	}
	for i := range length {
		d.out = append(d.out, d.out[from+i])
	}
	return nil
}
