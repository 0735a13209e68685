package project

import (
	"encoding/binary"
	"math/bits"
)

// A Predictor predicts a new file, part after part. It is not safe for
// concurrent use.
type Predictor struct {
	old    *Image
	layout Layout
	shifts *shifts
	moved  []int64 // by section: shift in memory less shift in the file
	hint   int     // the section that an address of code was in
	hints  [guesses]int

	tries  uint32    // numbers so far
	calls  memory    // shifts of addresses that code refers to
	values [5]memory // differences of numbers, by kind
	near   [5]memory // the same, of numbers that are near
	last   [5][33]uint32
	score  [5][33][guesses]int16
}

// NewPredictor is for a new file of which parts are known, in order of New.
func NewPredictor(old *Image, l Layout, parts []Part) *Predictor {
	p := &Predictor{old: old, layout: l, shifts: newShifts(parts), hint: -1, moved: make([]int64, len(old.sections))}
	for i := range p.moved {
		p.moved[i] = l.Address[i] - l.Offset[i]
	}
	for i := range p.hints {
		p.hints[i] = -1
	}
	n := memoryBits(old.end())
	p.calls.bits = n
	for i := range p.values {
		p.values[i].bits, p.near[i].bits = n, n
	}
	return p
}

// Margin is how many bytes before a part must be known too, if there are any.
const Margin = 4

// Predict makes a part: b has its bytes in the old file, behind margin bytes
// that stand before it there. Settle is told how far b has been predicted; it
// makes the new bytes of it, up to there, in b. It is told the end last.
func (p *Predictor) Predict(part Part, b []byte, margin int, settle func(end int)) {
	w := walk{Predictor: p, part: part, b: b, margin: margin, settle: settle}
	for at := part.Old; at < part.Old+part.Length; {
		n, next := p.old.at(at)
		end := min(next, part.Old+part.Length)
		if n >= 0 {
			w.section(n, at, end)
		}
		at = end
	}
	settle(len(b))
}

// A walk is through the bytes of one part.
type walk struct {
	*Predictor
	part   Part
	b      []byte
	margin int
	settle func(end int)
	here   int64 // how far this part moved in memory
	row    [33]uint32
}

func (w *walk) section(n int, from, to int64) {
	s := &w.old.sections[n]
	w.here = w.part.New - w.part.Old + w.moved[n]
	switch s.kind {
	case code:
		w.code(s, from, to)
	case words, records, table:
		w.numbers(n, from, to)
	}
}

// index gives where in b the byte at an offset stands.
func (w *walk) index(offset int64) int { return int(offset-w.part.Old) + w.margin }

// shiftOf gives how far an address has moved. Hint is the section where the last
// one was.
func (p *Predictor) shiftOf(address int64, hint *int) (shift int64, ok bool) {
	n := p.old.holding(address, *hint)
	if n < 0 {
		return 0, false
	}
	*hint = n
	s := &p.old.sections[n]
	if s.end == s.offset {
		return p.layout.Address[n], true
	}
	return p.shifts.of(s.offset+address-s.address) + p.moved[n], true
}

// code predicts operands that are relative to the instruction behind them.
func (w *walk) code(s *section, from, to int64) {
	i, end := w.index(from), w.index(to)
	for i = max(i, 2); i+4 <= end; i++ {
		kind := operand(w.b[max(i-3, 0):i])
		if kind == 0 {
			continue
		}
		v := int64(int32(binary.LittleEndian.Uint32(w.b[i:])))
		address := s.address + w.part.Old + int64(i-w.margin) - s.offset + 4 + v
		n := w.old.holding(address, w.hint)
		if n < 0 || kind == jump && !w.old.sections[n].executable {
			continue
		}
		w.hint = n
		w.operand(s, i, uint32(v), address)
		i += 3
	}
}

func (w *walk) operand(s *section, i int, v uint32, address int64) {
	slot, tag := w.calls.at(uint64(address))
	shift, known := uint32(*slot), *slot>>32 == tag
	if to := address - s.address + s.offset; to >= w.part.Old && to < w.part.Old+w.part.Length {
		shift, known = uint32(w.here), true
	}
	if !known {
		s, _ := w.shiftOf(address, &w.hint)
		shift = uint32(s)
	}
	binary.LittleEndian.PutUint32(w.b[i:], v+shift-uint32(w.here))
	w.settle(i + 4)
	got := binary.LittleEndian.Uint32(w.b[i:]) - v + uint32(w.here)
	*slot = tag<<32 | uint64(got)
}

const (
	jump = iota + 1
	data
)

// operand says whether a relative operand of 4 bytes may stand behind b, the 2
// or 3 bytes before it: of a jump or call, or of an access to data.
func operand(b []byte) int {
	n := len(b)
	last, before := b[n-1], b[n-2]
	switch {
	case last == 0xE8 || last == 0xE9, before == 0x0F && last&0xF0 == 0x80:
		return jump
	case last&0xC7 != 0x05:
		return 0
	case access[before], n > 2 && (b[0] == 0x0F || b[0]&0xF0 == 0x40):
		return data
	}
	return 0
}

// access has the opcodes that often refer to data.
var access = [256]bool{
	0x01: true, 0x03: true, 0x0B: true, 0x23: true, 0x29: true, 0x2B: true, 0x33: true, 0x38: true, 0x39: true, 0x3A: true,
	0x3B: true, 0x63: true, 0x80: true, 0x81: true, 0x83: true, 0x84: true, 0x85: true, 0x87: true, 0x88: true, 0x89: true,
	0x8A: true, 0x8B: true, 0x8D: true, 0xC6: true, 0xC7: true, 0xF6: true, 0xF7: true, 0xFF: true, 0x10: true, 0x11: true,
	0x28: true,
}

// A memory keeps the last number for a key. It forgets where keys collide.
type memory struct {
	bits  int
	slots []uint64 // the number, and above it a tag
}

// at gives the place of a key, and the tag that it has there if it is the key's.
func (m *memory) at(key uint64) (slot *uint64, tag uint64) {
	if m.slots == nil {
		m.slots = make([]uint64, 1<<m.bits)
	}
	h := key * 0x9E3779B97F4A7C15
	return &m.slots[h>>(64-m.bits)], h>>8&(1<<32-1) | 1
}

// memoryBits says how large memories are for a file: 2 to the power of it. They
// have what they would need if every 32nd byte began a number, and no more than
// a processor keeps near: larger ones take twice the time, and are no better, as
// what was long ago is often wrong by now.
func memoryBits(size int64) int { return min(max(bits.Len64(uint64(size))-5, 8), 14) }

// magnitude is the column of a number that stands in no row.
func magnitude(v uint32) int { return bits.Len32(v) }
