// Package project predicts bytes of an executable from those of an older one.
//
// Code that moved differs wherever it holds addresses, though nothing was
// changed. Given which parts of the new file are which parts of the old one,
// the new addresses follow: they are written over the old ones before these are
// compared. What cannot be computed is learned on the way, from differences
// that were seen before: the same in making a delta and in applying it.
//
// All that applying needs is read out of the old file and a few numbers on the
// new one, see [Layout]. Wrong predictions cost bytes and nothing else.
package project

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"io"
	"sort"
)

// A kind is how the bytes of a section are predicted.
type kind byte

const (
	plain   kind = iota // as they are
	code                // machine code
	words               // numbers of 4 bytes
	records             // rows of 6 numbers: relocations and symbols of ELF64
	table               // rows of 2 numbers: pointers, and tables for binary search
)

// columns of a row, by kind; words that stand in no row are told apart by their
// magnitude.
var columns = [...]int{words: 33, records: 6, table: 2}

// A section is a part of the file.
type section struct {
	name        string
	offset, end int64 // in the file
	address     int64
	size        int64 // in memory
	kind        kind
	elf         elf.SectionType
	executable  bool
	compressed  bool
	loaded      bool
	// of is the section that relocations are for, or the strings of symbols.
	of int
}

// An Image is what is known of an executable: an ELF file of 64 bits, little
// endian.
type Image struct {
	sections []section // as the file numbers them
	order    []int     // of those that have bytes, by offset
	low      int64     // the addresses that are used
	high     int64
	text     int // the first section of code
	machine  elf.Machine
	relative bool // addresses are relative to their section: an object file
	// symbolSections has the sections that symbols of an object file stand for.
	symbolSections map[uint32]int
}

// relocations is the type of sections of relocations with addends.
const relocations elf.SectionType = 4

// maxSections bounds what is read of a file's own description.
const maxSections = 1 << 14

// Parse reads the description of the file r of size bytes; ok is false where it
// is none that this package knows.
func Parse(r io.ReaderAt, size int64) (m *Image, ok bool) {
	var ident [64]byte
	if _, err := r.ReadAt(ident[:], 0); err != nil || !bytes.HasPrefix(ident[:], []byte("\x7fELF\x02\x01")) {
		return nil, false
	}
	at := int64(binary.LittleEndian.Uint64(ident[0x28:]))
	n := int64(binary.LittleEndian.Uint16(ident[0x3c:]))
	names := int(binary.LittleEndian.Uint16(ident[0x3e:]))
	if binary.LittleEndian.Uint16(ident[0x3a:]) != 64 || n == 0 || n > maxSections || at <= 0 || at > size-64*n {
		return nil, false
	}
	headers := make([]byte, 64*n)
	if _, err := r.ReadAt(headers, at); err != nil && err != io.EOF {
		return nil, false
	}
	m = &Image{
		machine:  elf.Machine(binary.LittleEndian.Uint16(ident[0x12:])),
		relative: elf.Type(binary.LittleEndian.Uint16(ident[0x10:])) == elf.ET_REL,
		text:     -1,
	}
	nameAt := make([]uint32, n)
	for i := range nameAt {
		nameAt[i] = m.add(headers[64*i:][:64], size)
	}
	if names < len(m.sections) {
		m.names(r, m.sections[names], nameAt)
	}
	m.finish()
	if m.relative {
		m.readSymbols(r)
	}
	return m, len(m.order) > 0
}

// add reads a section header, and gives where its name stands.
func (m *Image) add(h []byte, size int64) uint32 {
	le := binary.LittleEndian
	flags := elf.SectionFlag(le.Uint64(h[8:]))
	s := section{
		elf:     elf.SectionType(le.Uint32(h[4:])),
		address: int64(le.Uint64(h[16:])),
		offset:  int64(le.Uint64(h[24:])),
		size:    int64(le.Uint64(h[32:])),
	}
	s.compressed = flags&elf.SHF_COMPRESSED != 0
	s.executable, s.loaded = flags&elf.SHF_EXECINSTR != 0, flags&elf.SHF_ALLOC != 0
	s.of = int(le.Uint32(h[40:])) // strings of symbols
	if s.elf == relocations {
		s.of = int(le.Uint32(h[44:]))
	}
	const most = 1 << 48
	if s.offset < 0 || s.size < 0 || s.address < 0 || s.offset > most || s.size > most || s.address > most {
		s = section{}
	}
	s.end = s.offset + s.size
	if s.elf == elf.SHT_NOBITS || s.elf == elf.SHT_NULL || s.end > size {
		s.offset, s.end = 0, 0
	}
	m.sections = append(m.sections, s)
	return le.Uint32(h)
}

// names reads the names of sections; one of more than 64 bytes is cut.
func (m *Image) names(r io.ReaderAt, s section, at []uint32) {
	b := make([]byte, min(s.end-s.offset, 1<<20))
	if _, err := r.ReadAt(b, s.offset); err != nil && err != io.EOF {
		return
	}
	for i, a := range at {
		if int64(a) < int64(len(b)) {
			name, _, _ := bytes.Cut(b[a:min(int(a)+64, len(b))], []byte{0})
			m.sections[i].name = string(name)
		}
	}
}

// maxSymbols bounds the symbols that are looked at.
const maxSymbols = 1 << 14

// readSymbols finds the symbols of sections, which stand first.
func (m *Image) readSymbols(r io.ReaderAt) {
	s := m.symbols()
	b := make([]byte, min((s.end-s.offset)/24, maxSymbols)*24)
	if _, err := r.ReadAt(b, s.offset); err != nil && err != io.EOF {
		return
	}
	m.symbolSections = make(map[uint32]int)
	for n := uint32(0); len(b) > 0; n, b = n+1, b[24:] {
		at := int(binary.LittleEndian.Uint16(b[6:]))
		if b[4]&15 == byte(elf.STT_SECTION) && at < len(m.sections) {
			m.symbolSections[n] = at
		}
	}
}

func (m *Image) finish() {
	m.low = 1 << 62
	for i := range m.sections {
		s := &m.sections[i]
		s.kind = m.kindOf(s)
		if s.loaded && s.size > 0 && s.address > 0 {
			m.low, m.high = min(m.low, s.address), max(m.high, s.address+s.size)
		}
		if s.end == s.offset {
			continue
		}
		m.order = append(m.order, i)
		if s.name == ".text" || s.executable && m.text < 0 {
			m.text = i
		}
	}
	sort.SliceStable(m.order, func(a, b int) bool {
		return m.sections[m.order[a]].offset < m.sections[m.order[b]].offset
	})
}

func (m *Image) kindOf(s *section) kind {
	switch {
	case s.executable && m.machine == elf.EM_X86_64:
		return code
	case s.executable, s.elf == elf.SHT_STRTAB, s.name == ".comment", s.name == ".modinfo":
		return plain
	case s.elf == relocations, s.elf == elf.SHT_SYMTAB, s.elf == elf.SHT_DYNSYM:
		return records
	case s.elf == elf.SHT_DYNAMIC, s.elf == elf.SHT_INIT_ARRAY, s.elf == elf.SHT_FINI_ARRAY,
		s.name == ".eh_frame_hdr", s.name == ".data.rel.ro", s.name == ".got", s.name == ".got.plt":
		return table
	}
	return words
}

// end is where the last section with bytes begins.
func (m *Image) end() int64 { return m.sections[m.order[len(m.order)-1]].offset }

// at gives the section whose bytes include the offset, or nil; and where in the
// file the next one begins.
func (m *Image) at(offset int64) (n int, next int64) {
	i := sort.Search(len(m.order), func(i int) bool { return m.sections[m.order[i]].offset > offset })
	next = 1 << 62
	if i < len(m.order) {
		next = m.sections[m.order[i]].offset
	}
	if i == 0 || offset >= m.sections[m.order[i-1]].end {
		return -1, next
	}
	return m.order[i-1], min(next, m.sections[m.order[i-1]].end)
}

// holding gives the number of the loaded section that has an address, or -1.
func (m *Image) holding(address int64, hint int) int {
	if hint >= 0 && m.sections[hint].has(address) {
		return hint
	}
	if address < m.low || address >= m.high {
		return -1
	}
	for i := range m.sections {
		if m.sections[i].has(address) {
			return i
		}
	}
	return -1
}

func (s *section) has(address int64) bool {
	return s.loaded && address >= s.address && address < s.address+s.size
}
