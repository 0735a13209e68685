package project

import (
	"encoding/binary"
	"io"
	"testing"
)

var errShort = io.EOF

func TestShifts(t *testing.T) {
	s := newShifts([]Part{
		{New: 1000, Old: 0, Length: 100},
		{New: 5000, Old: 50, Length: 10}, // within the first: a copy
		{New: 2000, Old: 200, Length: 50},
		{New: 3000, Old: 240, Length: 100},
	})
	for _, test := range []struct{ offset, shift int64 }{
		{0, 1000}, {55, 1000}, {99, 1000}, {150, 1000}, {200, 1800}, {239, 1800}, {240, 2760}, {300, 2760}, {9999, 2760},
	} {
		if got := s.of(test.offset); got != test.shift {
			t.Errorf("%d moved by %d instead of %d", test.offset, got, test.shift)
		}
	}
	if newShifts(nil).of(7) != 0 {
		t.Error("what has no parts moved")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("\x7fELF\x02\x01"))
	f.Add(sample(1))
	f.Add(sample(2))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := reader(b)
		m, ok := Parse(r, int64(len(b)))
		if !ok {
			return
		}
		even := append([]byte{}, b...)
		m.Even(even)
		part := Part{Length: int64(len(b))}
		NewPredictor(m, m.Unmoved(), []Part{part}).Predict(part, even, 0, func(int) {})
	})
}

type reader []byte

func (r reader) ReadAt(p []byte, off int64) (int, error) {
	n := copy(p, r[min(off, int64(len(r))):])
	if n < len(p) {
		return n, errShort
	}
	return n, nil
}

// sample makes an ELF file of a type with a section of each kind.
func sample(kind uint16) []byte {
	le := binary.LittleEndian
	b := make([]byte, 64)
	copy(b, "\x7fELF\x02\x01\x01")
	le.PutUint16(b[0x10:], kind)
	le.PutUint16(b[0x12:], 62)
	le.PutUint16(b[0x3a:], 64)
	types := []uint32{0, 1, 4, 2, 3, 1, 6}
	le.PutUint16(b[0x3c:], uint16(len(types)))
	le.PutUint16(b[0x3e:], 4)
	var headers []byte
	for i, t := range types {
		h := make([]byte, 64)
		le.PutUint32(h, uint32(i))
		le.PutUint32(h[4:], t)
		le.PutUint64(h[8:], uint64(6-i%2*4))
		le.PutUint64(h[16:], uint64(len(b)))
		le.PutUint64(h[24:], uint64(len(b)))
		le.PutUint64(h[32:], 240)
		le.PutUint32(h[40:], 4)
		le.PutUint32(h[44:], 1)
		headers = append(headers, h...)
		for n := range 30 {
			b = append(b, 0xE8, byte(n), 0, 0, 0, 0, 0, byte(i))
		}
	}
	le.PutUint64(b[0x28:], uint64(len(b)))
	return append(b, headers...)
}
