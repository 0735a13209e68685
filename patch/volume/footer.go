package volume

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
)

// The footer: "flotobuild-volume 1 d001 00001234 <SHA-256 of the index>\n".
const (
	footerMagic  = "flotobuild-volume "
	footerFormat = footerMagic + "%d %s %08d %s\n"
	footerSize   = len(footerMagic) + len("1 d001 00001234 ") + 2*sha256.Size + len("\n")
)

var footerPattern = regexp.MustCompile(`^` + footerMagic + `([0-9]) ([dp])([0-9]{3}) ([0-9]{8}) ([0-9a-f]{64})\n$`)

// errNoVolume tells of a file that does not end like a volume.
var errNoVolume = errors.New("it has no index of a volume at its end: it is truncated, damaged there, or no volume")

// A trailer is what follows the payload of a volume.
type trailer struct {
	index  *Index
	id     string // digest of the index, bare hex: that of the set
	number int
}

// appendTrailer gives what follows the payload of volume n.
func (x *Index) appendTrailer(index []byte, n int) []byte {
	kind, number := "d", n+1
	if n >= x.Data {
		kind, number = "p", n-x.Data+1
	}
	sum := sha256.Sum256(index)
	return fmt.Appendf(append([]byte(nil), index...), footerFormat, formatVersion, fmt.Sprintf("%s%03d", kind, number), len(index), hex.EncodeToString(sum[:]))
}

// readTrailer reads the end of a volume. Indexes that are in known already, by
// id, are not decoded again.
func readTrailer(r io.ReaderAt, size int64, known map[string]*Index) (*trailer, error) {
	if size < int64(footerSize) {
		return nil, errNoVolume
	}
	b := make([]byte, footerSize)
	if _, err := r.ReadAt(b, size-int64(footerSize)); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	m := footerPattern.FindSubmatch(b)
	if m == nil {
		return nil, errNoVolume
	}
	if version := string(m[1]); version != strconv.Itoa(formatVersion) {
		return nil, fmt.Errorf("it is a volume of format version %s, and this program reads version %d", version, formatVersion)
	}
	length, _ := strconv.ParseInt(string(m[4]), 10, 64)
	t := &trailer{id: string(m[5])}
	if err := t.readIndex(r, size-int64(footerSize), length, known); err != nil {
		return nil, err
	}
	t.number, _ = strconv.Atoi(string(m[3]))
	return t, t.check(string(m[2]), size)
}

// readIndex reads the index of length bytes that ends at end.
func (t *trailer) readIndex(r io.ReaderAt, end, length int64, known map[string]*Index) error {
	if length > maxIndex || length > end {
		return fmt.Errorf("its index cannot have %d bytes", length)
	}
	b := make([]byte, length)
	if _, err := r.ReadAt(b, end-length); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != t.id {
		return errors.New("its index is damaged")
	}
	if t.index = known[t.id]; t.index != nil {
		return nil
	}
	x, err := decodeIndex(b)
	if err != nil {
		return err
	}
	t.index, known[t.id] = x, x
	return nil
}

// check compares number and size with the index, and counts from 0 over all
// volumes.
func (t *trailer) check(kind string, size int64) error {
	x, most := t.index, t.index.Data
	if kind == "p" {
		most = x.Parity
	}
	if t.number < 1 || t.number > most {
		return fmt.Errorf("it says that it is volume %s%03d, and its index has %d of them", kind, t.number, most)
	}
	t.number--
	if kind == "p" {
		t.number += x.Data
	}
	if want := x.FileSize(t.number); size != want {
		return fmt.Errorf("it has %d bytes, and its index says %d", size, want)
	}
	return nil
}
