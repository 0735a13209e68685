package project

import (
	"encoding/binary"
)

// What the difference of a number may be.
const (
	none     = iota // it stays
	previous        // that of the number before in its column
	learned         // that of the same number before
	nearby          // that of a number near to it
	absolute        // it is an address
	relative        // it is an address relative to its own
	based           // it is an address relative to the section, or to the code
	guesses
)

// Columns of relocations: the symbol that they are for, and what is added.
const (
	symbol = 3
	addend = 4
)

// rank keeps scores from growing without bounds, so that they follow changes.
const rank = 64

// numbers predicts numbers of 4 bytes. For each column, what was right most
// often of late is taken.
func (w *walk) numbers(n int, from, to int64) {
	s := &w.old.sections[n]
	cols := columns[s.kind]
	first := (from - s.offset + 3) / 4 // number of the word in the section
	i := w.index(s.offset + first*4)
	origin, start := w.origin(n)
	for ; i+4 <= w.index(to); i += 4 {
		v := binary.LittleEndian.Uint32(w.b[i:])
		col := magnitude(v)
		if s.kind != words {
			col = int(first % int64(cols))
		}
		first++
		w.row[col] = v
		if v == 0 {
			continue // it hardly becomes an address
		}
		if s.kind == records && col == addend && s.elf == relocations && w.old.relative {
			origin, start = w.symbol(w.row[symbol])
		}
		w.number(s, i, v, col, origin, start)
	}
}

// origin gives the address that numbers of the section may be relative to, and
// how far it moved.
func (w *walk) origin(n int) (address, shift int64) {
	s := &w.old.sections[n]
	switch {
	case s.elf == relocations && w.old.relative && s.of < len(w.old.sections):
		n = s.of
		return w.old.sections[n].offset, w.layout.Offset[n]
	case s.name == ".gopclntab" && w.old.text >= 0:
		n = w.old.text
	}
	return w.old.sections[n].address, w.layout.Address[n]
}

func (w *walk) number(s *section, i int, v uint32, col int, origin, start int64) {
	k := s.kind
	var guess [guesses]uint32
	before := w.last[k][col]
	key := uint64(v)<<6 | uint64(col)
	value, valueTag := w.values[k].at(key)
	near, nearTag := w.near[k].at(key>>12<<6 | uint64(col))
	guess[previous] = before
	guess[learned] = recalled(*value, valueTag, before)
	guess[nearby] = recalled(*near, nearTag, before)
	best, score := none, &w.score[k][col]
	// Addresses are dear to guess: where they were wrong, few are tried.
	tried := guesses
	if w.tries++; w.tries%16 != 0 && max(score[absolute], score[relative], score[based]) < -rank/2 {
		tried = absolute
	} else {
		w.addresses(s, i, v, origin, start, &guess)
	}
	for g := range tried {
		if score[g] > score[best] {
			best = g
		}
	}
	binary.LittleEndian.PutUint32(w.b[i:], v+guess[best])
	w.settle(i + 4)
	got := binary.LittleEndian.Uint32(w.b[i:]) - v
	for g := range tried {
		score[g] = rated(score[g], guess[g] == got)
	}
	w.last[k][col] = got
	*value, *near = valueTag<<32|uint64(got), nearTag<<32|uint64(got)
}

// recalled gives the number in the slot of a memory, or another one where it is
// not that of the tag. It has no branch: nobody foresees it, and the slot comes
// late.
func recalled(slot, tag uint64, other uint32) uint32 {
	v := uint32(slot)
	if slot>>32 != tag {
		v = other
	}
	return v
}

// rated moves a score by an eighth of what is left to its bound.
func rated(score int16, right bool) int16 {
	v := score - (rank+score)>>3
	if right {
		v = score + (rank-score)>>3
	}
	return v
}

// symbol gives where the section of a symbol stands, and how far it moved.
func (w *walk) symbol(n uint32) (offset, shift int64) {
	if s, ok := w.old.symbolSections[n]; ok {
		return w.old.sections[s].offset, w.layout.Offset[s]
	}
	return 0, 0
}

// addresses guesses what v becomes if it is an address.
func (w *walk) addresses(s *section, i int, v uint32, origin, start int64, guess *[guesses]uint32) {
	if w.old.relative {
		if s.elf == relocations {
			guess[based] = uint32(w.shifts.of(origin+int64(v)) - start)
		}
		return
	}
	if shift, ok := w.shiftOf(int64(v), &w.hints[absolute]); ok {
		guess[absolute] = uint32(shift)
	}
	own := s.address + w.part.Old + int64(i-w.margin) - s.offset
	if shift, ok := w.shiftOf(own+int64(int32(v)), &w.hints[relative]); ok {
		guess[relative] = uint32(shift - w.here)
	}
	if shift, ok := w.shiftOf(origin+int64(int32(v)), &w.hints[based]); ok {
		guess[based] = uint32(shift - start)
	}
}
