package project

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"hash/crc32"
)

// Even makes bytes alike that differ only since something moved: b has the
// whole file that m describes. It is for finding what is like what; nothing that
// it does can be undone.
func (m *Image) Even(b []byte) {
	// Symbols first: relocations are told by them.
	for _, symbols := range []bool{true, false} {
		for _, n := range m.order {
			s := &m.sections[n]
			isSymbols := s.elf == elf.SHT_DYNSYM || s.elf == elf.SHT_SYMTAB
			if s.end <= int64(len(b)) && isSymbols == symbols {
				m.even(s, b[s.offset:s.end], b)
			}
		}
	}
}

// even does it for p, the bytes of a section of the file b.
func (m *Image) even(s *section, p, b []byte) {
	switch {
	case s.kind == code:
		m.evenCode(s, p)
	case s.elf == relocations:
		m.evenRelocations(p, b)
	case s.elf == elf.SHT_DYNSYM, s.elf == elf.SHT_SYMTAB:
		m.evenSymbols(s, p, b)
	case s.name == ".gopclntab":
		evenFunctions(p)
	case s.name == ".eh_frame_hdr":
		evenPairs(p[min(len(p), 12):])
	case s.loaded && !m.relative && s.elf == elf.SHT_PROGBITS && s.address%8 == 0:
		m.evenPointers(p)
	}
}

func (m *Image) evenCode(s *section, p []byte) {
	hint := -1
	for i := 2; i+4 <= len(p); i++ {
		kind := operand(p[max(i-3, 0):i])
		if kind == 0 {
			continue
		}
		v := int64(int32(binary.LittleEndian.Uint32(p[i:])))
		n := m.holding(s.address+int64(i)+4+v, hint)
		if n < 0 || kind == jump && !m.sections[n].executable {
			continue
		}
		hint = n
		clear(p[i : i+4])
		i += 3
	}
}

// evenPointers takes out addresses of 8 bytes.
func (m *Image) evenPointers(p []byte) {
	for ; len(p) >= 8; p = p[8:] {
		if v := binary.LittleEndian.Uint64(p); v >= uint64(m.low) && v < uint64(m.high) {
			clear(p[:4])
		}
	}
}

// label gives a number for a name in a section of strings, in the file b.
func (m *Image) label(strings int, at uint32, b []byte) uint32 {
	if strings >= len(m.sections) {
		return 0
	}
	s := &m.sections[strings]
	if from := s.offset + int64(at); from < s.end && s.end <= int64(len(b)) {
		name := b[from:min(s.end, from+256)]
		if n := bytes.IndexByte(name, 0); n >= 0 {
			name = name[:n]
		}
		return crc32.ChecksumIEEE(name)
	}
	return 0
}

// evenSymbols gives symbols the hash of their name instead of its place, and
// takes out their addresses.
func (m *Image) evenSymbols(s *section, p, b []byte) {
	for ; len(p) >= 24; p = p[24:] {
		binary.LittleEndian.PutUint32(p, m.label(s.of, binary.LittleEndian.Uint32(p), b))
		clear(p[8:16])
	}
}

// evenRelocations keeps the distance to the one before instead of the place.
// Object files have symbols evened before, since those stand in front.
func (m *Image) evenRelocations(p, b []byte) {
	symbols := m.symbols()
	var last uint64
	for ; len(p) >= 24; p = p[24:] {
		at := binary.LittleEndian.Uint64(p)
		binary.LittleEndian.PutUint64(p, at-last)
		last = at
		symbol := binary.LittleEndian.Uint32(p[12:])
		if symbol == 0 {
			clear(p[16:24]) // the addend is the address
			continue
		}
		info := symbols.offset + 24*int64(symbol)
		if info+24 > min(symbols.end, int64(len(b))) {
			continue
		}
		if b[info+4]&15 == byte(elf.STT_SECTION) {
			clear(p[16:20])
		}
		binary.LittleEndian.PutUint32(p[12:], binary.LittleEndian.Uint32(b[info:]))
	}
}

// symbols gives the section of symbols that relocations are for.
func (m *Image) symbols() (s section) {
	for _, n := range m.order {
		if t := m.sections[n]; t.elf == elf.SHT_SYMTAB && m.relative || t.elf == elf.SHT_DYNSYM && !m.relative {
			return t
		}
	}
	return s
}

// evenPairs keeps the distance to the pair before.
func evenPairs(p []byte) {
	var last [2]uint32
	for ; len(p) >= 8; p = p[8:] {
		for i := range last {
			v := binary.LittleEndian.Uint32(p[4*i:])
			binary.LittleEndian.PutUint32(p[4*i:], v-last[i])
			last[i] = v
		}
	}
}
