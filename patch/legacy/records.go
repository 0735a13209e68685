package legacy

import (
	"archive/zip"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// Numbers of the ZIP format.
const (
	sigLocal       = 0x04034b50
	sigDescriptor  = 0x08074b50
	localLen       = 30 // bytes before the name
	flagSpeed      = 0x6
	flagDescriptor = 0x8
	flagUTF8       = 0x800
)

var le = binary.LittleEndian

// A placed file knows where its data begins.
type placed struct {
	*zip.File
	data int64
}

// checkRecords goes through the file as a streaming reader does: the entries
// follow each other from the first byte, and their local headers say what the
// directory says. So no two overlap and no two readers see different files.
func checkRecords(r io.ReaderAt, size int64, files []*zip.File) error {
	all := make([]placed, len(files))
	for i, f := range files {
		off, err := f.DataOffset()
		if err != nil {
			return fmt.Errorf("entry %q: its local header is damaged: %w", f.Name, err)
		}
		if off > size || f.CompressedSize64 > uint64(size-off) {
			return fmt.Errorf("entry %q reaches beyond the end of the file", f.Name)
		}
		all[i] = placed{f, off}
	}
	slices.SortStableFunc(all, func(a, b placed) int { return cmp.Compare(a.data, b.data) })
	var end int64
	for _, f := range all {
		next, err := f.check(r, end)
		if err != nil {
			return fmt.Errorf("entry %q: %w", f.Name, err)
		}
		end = next
	}
	return nil
}

// check compares an entry that must begin at off, and says where it ends.
func (f placed) check(r io.ReaderAt, off int64) (int64, error) {
	var head [localLen]byte
	if err := readAt(r, head[:], off); err != nil {
		return 0, err
	}
	n := int(le.Uint16(head[26:]))
	if le.Uint32(head[:]) != sigLocal || off+localLen+int64(n)+int64(le.Uint16(head[28:])) != f.data {
		return 0, errors.New("it does not follow the entry before it: the two overlap, or something stands between them")
	}
	name := make([]byte, n)
	if err := readAt(r, name, off+localLen); err != nil {
		return 0, err
	}
	if string(name) != f.Name || le.Uint16(head[6:]) != f.Flags || le.Uint16(head[8:]) != f.Method {
		return 0, errors.New("its local header contradicts the directory of the ZIP")
	}
	end := f.data + int64(f.CompressedSize64)
	if f.Flags&flagDescriptor != 0 {
		return f.descriptor(r, end)
	}
	if le.Uint32(head[14:]) != f.CRC32 || le.Uint32(head[18:]) != short(f.CompressedSize64) || le.Uint32(head[22:]) != short(f.UncompressedSize64) {
		return 0, errors.New("its local header contradicts the directory of the ZIP")
	}
	return end, nil
}

// short is a size as a field of 32 bits has it; all ones where another holds it.
func short(size uint64) uint32 { return uint32(min(size, math.MaxUint32)) }

// descriptor checks the record behind streamed data, which comes with and
// without a signature, and with sizes of 32 or 64 bits.
func (f placed) descriptor(r io.ReaderAt, off int64) (int64, error) {
	b := make([]byte, 24)
	n, err := r.ReadAt(b, off)
	if err != nil && err != io.EOF {
		return 0, err
	}
	if n < len(b) { // the directory is longer than this, so the file is cut off
		return 0, errors.New("the file ends here: it is truncated")
	}
	skip := 0
	if le.Uint32(b) == sigDescriptor {
		skip = 4
	}
	at := b[skip:]
	switch {
	case le.Uint32(at) != f.CRC32:
	case uint64(le.Uint32(at[4:])) == f.CompressedSize64 && uint64(le.Uint32(at[8:])) == f.UncompressedSize64:
		return off + int64(skip) + 12, nil
	case le.Uint64(at[4:]) == f.CompressedSize64 && le.Uint64(at[12:]) == f.UncompressedSize64:
		return off + int64(skip) + 20, nil
	}
	return 0, errors.New("the record behind its data contradicts the directory of the ZIP")
}

func readAt(r io.ReaderAt, b []byte, off int64) error {
	if n, err := r.ReadAt(b, off); n < len(b) {
		return fmt.Errorf("the file ends here: %w", err)
	}
	return nil
}
