package project

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// pclntab is the table of functions in what Go 1.20 and later links, with its
// header: magic, 0, 0, instruction quantum, size of pointers, then words of 8
// bytes: functions, files, start of the text, and offsets of the parts.
type pclntab struct {
	b         []byte
	functions int
	names     uint64
	table     uint64 // of functions: pairs of 4 bytes, then the records
}

func parsePclntab(b []byte) (t pclntab, ok bool) {
	if len(b) < 72 || binary.LittleEndian.Uint32(b) != 0xfffffff1 || b[7] != 8 {
		return t, false
	}
	word := func(n int) uint64 { return binary.LittleEndian.Uint64(b[8+8*n:]) }
	t = pclntab{b: b, names: word(3), table: word(7)}
	if word(0) > uint64(len(b))/8 || t.table > uint64(len(b)) || t.names > uint64(len(b)) {
		return t, false
	}
	t.functions = int(word(0))
	return t, t.table+8*word(0) <= uint64(len(b))
}

// evenFunctions keeps of functions what does not move: names, sizes, counts.
func evenFunctions(b []byte) {
	t, ok := parsePclntab(b)
	if !ok {
		return
	}
	b = b[t.table:]
	pairs := b[:8*t.functions]
	for p := pairs; len(p) >= 8; p = p[8:] {
		if at := binary.LittleEndian.Uint32(p[4:]); uint64(at)+44 <= uint64(len(b)) {
			t.evenFunction(b[at:])
		}
	}
	evenPairs(pairs)
}

// evenFunction takes the offsets out of a record: entry, name, arguments, call
// of deferred ones, stack, file, line, number of tables, unit, line, flags and
// number of data; then as many offsets as these say.
func (t *pclntab) evenFunction(f []byte) {
	clear(f[:4])
	if name := t.names + uint64(binary.LittleEndian.Uint32(f[4:])); name < uint64(len(t.b)) {
		s := t.b[name:min(uint64(len(t.b)), name+256)]
		if n := bytes.IndexByte(s, 0); n >= 0 {
			s = s[:n]
		}
		binary.LittleEndian.PutUint32(f[4:], crc32.ChecksumIEEE(s))
	}
	clear(f[16:28])
	clear(f[32:36])
	n := int(min(binary.LittleEndian.Uint32(f[28:]), 64)) + int(f[43])
	for f = f[44:]; n > 0 && len(f) >= 4; n, f = n-1, f[4:] {
		if v := binary.LittleEndian.Uint32(f); v != 0 && v != 0xffffffff {
			clear(f[:4])
		}
	}
}
