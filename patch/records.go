package patch

import (
	"encoding/binary"
	"math"
	"strings"
	"time"
)

// A record is what the ZIP's own structures say about an entry. All their
// bytes follow from it, which is how Verify knows that none was changed.
type record struct {
	name     string
	mode     Mode
	modified time.Time
	method   uint16
	crc      uint32 // CRC-32 of the content
	size     int64  // bytes of the content
	packed   int64  // bytes in the ZIP
	packCRC  uint32 // CRC-32 of the bytes in the ZIP, for deflated entries
	offset   int64  // of the local header
}

// Methods of the ZIP format.
const (
	methodStore   = 0
	methodDeflate = 8
)

// Numbers of the ZIP format.
const (
	sigLocal       = 0x04034b50
	sigCentral     = 0x02014b50
	sigEnd         = 0x06054b50
	sigEnd64       = 0x06064b50
	sigLocator64   = 0x07064b50
	localLen       = 30 // bytes before the name
	version        = 20
	version64      = 45
	madeByUnix     = 3 << 8
	flagUTF8       = 0x800
	flagDescriptor = 0x8
	extraZip64     = 0x0001
	extraTime      = 0x5455
	// extraPacked holds the CRC-32 of a deflated entry's bytes: some bits of
	// a deflate stream mean nothing, and a flipped one would go unnoticed.
	extraPacked = 0x4246
	max16       = math.MaxUint16
	max32       = math.MaxUint32
)

var le = binary.LittleEndian

func (r *record) big() bool { return r.size >= max32 || r.packed >= max32 }

func versionFor(zip64 bool) uint16 {
	if zip64 {
		return version64
	}
	return version
}

func (r *record) flags() uint16 {
	if strings.ContainsFunc(r.name, func(c rune) bool { return c > '~' }) {
		return flagUTF8
	}
	return 0
}

// dosTime gives time and date as MS-DOS has them: UTC, two seconds, 1980 to
// 2107.
func (r *record) dosTime() (clock, date uint16) {
	t := r.modified.UTC()
	switch {
	case t.Year() < 1980:
		t = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
	case t.Year() > 2107:
		t = time.Date(2107, 12, 31, 23, 59, 58, 0, time.UTC)
	}
	clock = uint16(t.Hour()<<11 | t.Minute()<<5 | t.Second()/2)
	date = uint16((t.Year()-1980)<<9 | int(t.Month())<<5 | t.Day())
	return clock, date
}

// extra gives the extra fields; numbers are those that need 64 bits.
func (r *record) extra(numbers ...int64) []byte {
	var b []byte
	if len(numbers) > 0 {
		b = le.AppendUint16(b, extraZip64)
		b = le.AppendUint16(b, uint16(8*len(numbers)))
		for _, n := range numbers {
			b = le.AppendUint64(b, uint64(n))
		}
	}
	if s := r.modified.Unix(); s >= 0 && s <= math.MaxInt32 {
		b = le.AppendUint16(b, extraTime)
		b = le.AppendUint16(b, 5)
		b = le.AppendUint32(append(b, 1), uint32(s))
	}
	if r.method == methodDeflate {
		b = le.AppendUint16(b, extraPacked)
		b = le.AppendUint16(b, 4)
		b = le.AppendUint32(b, r.packCRC)
	}
	return b
}

// common appends what the local and the central header share. Sizes that need
// 64 bits stand in extra.
func (r *record) common(b []byte, zip64 bool, extra []byte) []byte {
	clock, date := r.dosTime()
	b = le.AppendUint16(b, versionFor(zip64))
	b = le.AppendUint16(b, r.flags())
	b = le.AppendUint16(b, r.method)
	b = le.AppendUint16(b, clock)
	b = le.AppendUint16(b, date)
	b = le.AppendUint32(b, r.crc)
	packed, size := uint32(r.packed), uint32(r.size)
	if r.big() {
		packed, size = max32, max32
	}
	b = le.AppendUint32(b, packed)
	b = le.AppendUint32(b, size)
	b = le.AppendUint16(b, uint16(len(r.name)))
	return le.AppendUint16(b, uint16(len(extra)))
}

// local gives the local header.
func (r *record) local() []byte {
	var numbers []int64
	if r.big() {
		numbers = []int64{r.size, r.packed}
	}
	extra := r.extra(numbers...)
	b := le.AppendUint32(nil, sigLocal)
	b = r.common(b, r.big(), extra)
	return append(append(b, r.name...), extra...)
}

// central gives the entry of the central directory.
func (r *record) central() []byte {
	var numbers []int64
	if r.big() {
		numbers = []int64{r.size, r.packed}
	}
	offset := uint32(max32)
	if r.offset >= max32 {
		numbers = append(numbers, r.offset)
	} else {
		offset = uint32(r.offset)
	}
	zip64 := len(numbers) > 0
	extra := r.extra(numbers...)
	b := le.AppendUint32(nil, sigCentral)
	b = le.AppendUint16(b, madeByUnix|versionFor(zip64))
	b = r.common(b, zip64, extra)
	b = le.AppendUint16(b, 0) // comment
	b = le.AppendUint16(b, 0) // disk
	b = le.AppendUint16(b, 0) // internal attributes
	b = le.AppendUint32(b, r.mode.unix()<<16)
	b = le.AppendUint32(b, offset)
	return append(append(b, r.name...), extra...)
}

// directory gives everything behind the last entry: the central directory,
// which begins at offset, and the end records.
func directory(records []*record, offset int64) []byte {
	var b []byte
	for _, r := range records {
		b = append(b, r.central()...)
	}
	n, size := uint64(len(records)), uint64(len(b))
	if n >= max16 || size >= max32 || offset >= max32 {
		b = append(b, end64(n, size, uint64(offset))...)
	}
	b = le.AppendUint32(b, sigEnd)
	b = le.AppendUint32(b, 0) // this disk and the directory's
	b = le.AppendUint16(b, uint16(min(n, max16)))
	b = le.AppendUint16(b, uint16(min(n, max16)))
	b = le.AppendUint32(b, uint32(min(size, max32)))
	b = le.AppendUint32(b, uint32(min(offset, max32)))
	return le.AppendUint16(b, 0) // comment
}

// end64 gives the ZIP64 end record and its locator.
func end64(n, size, offset uint64) []byte {
	b := le.AppendUint32(nil, sigEnd64)
	b = le.AppendUint64(b, 44) // bytes that follow
	b = le.AppendUint16(b, madeByUnix|version64)
	b = le.AppendUint16(b, version64)
	b = le.AppendUint64(b, 0) // this disk and the directory's
	b = le.AppendUint64(b, n)
	b = le.AppendUint64(b, n)
	b = le.AppendUint64(b, size)
	b = le.AppendUint64(b, offset)
	b = le.AppendUint32(b, sigLocator64)
	b = le.AppendUint32(b, 0)
	b = le.AppendUint64(b, offset+size)
	return le.AppendUint32(b, 1)
}
