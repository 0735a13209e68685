package tarmap

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"strings"
)

// parse gives the size that a header block states, and whether it is one: its
// checksum is right.
func parse(h []byte) (size int64, ok bool) {
	if len(h) < Block {
		return 0, false
	}
	want, ok := number(h[148:156])
	if !ok {
		return 0, false
	}
	if unsigned, signed := Checksum(h); want != unsigned && want != signed {
		return 0, false
	}
	size, ok = number(h[124:136])
	return size, ok && size >= 0
}

// Checksum is the sum of the bytes of a header block as POSIX has it, and as
// old tars computed it, with signed bytes. The field of the checksum itself
// counts as spaces.
func Checksum(h []byte) (unsigned, signed int64) {
	for i, c := range h[:Block] {
		if i >= 148 && i < 156 {
			c = ' '
		}
		unsigned += int64(c)
		signed += int64(int8(c))
	}
	return unsigned, signed
}

// number reads a numeric field: octal, or base 256 where the first bit is set.
func number(b []byte) (int64, bool) {
	if b[0]&0x80 != 0 {
		if len(b) < 8 || b[0] != 0x80 || len(bytes.Trim(b[1:max(1, len(b)-8)], "\x00")) > 0 {
			return 0, false
		}
		n := int64(binary.BigEndian.Uint64(b[len(b)-8:]) &^ (uint64(b[0]) << 56))
		return n, n >= 0
	}
	b = bytes.Trim(b, " \x00")
	if len(b) == 0 {
		return 0, true
	}
	n, err := strconv.ParseInt(string(b), 8, 64)
	return n, err == nil
}

func headerName(h []byte) string {
	name := text(h[:100])
	if prefix := text(h[345:500]); prefix != "" && bytes.HasPrefix(h[257:], []byte("ustar\x00")) {
		return prefix + "/" + name
	}
	return name
}

func text(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	return string(b)
}

// longer holds what extensions say of the entry behind them.
type longer struct {
	name    string
	size    int64
	hasSize bool
}

func (l *longer) add(flag byte, content []byte) {
	switch flag {
	case 'L':
		l.name = text(content)
	case 'x', 'X':
		l.records(content)
	}
}

// records reads PAX records: "length key=value\n".
func (l *longer) records(b []byte) {
	for len(b) > 0 {
		digits, _, ok := bytes.Cut(b, []byte{' '})
		n, err := strconv.Atoi(string(digits))
		if !ok || err != nil || n <= len(digits)+1 || n > len(b) {
			return
		}
		key, value, _ := strings.Cut(string(b[len(digits)+1:n-1]), "=")
		switch key {
		case "path", "GNU.sparse.name":
			l.name = value
		case "size":
			if size, err := strconv.ParseInt(value, 10, 64); err == nil && size >= 0 {
				l.size, l.hasSize = size, true
			}
		}
		b = b[n:]
	}
}

func (l *longer) or(name string) string {
	if l.name != "" {
		return l.name
	}
	return name
}

func (l *longer) sizeOr(size int64) int64 {
	if l.hasSize {
		return l.size
	}
	return size
}
