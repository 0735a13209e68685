package deflate

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// Flags of a gzip header, RFC 1952.
const (
	flagHeaderCRC = 1 << 1
	flagExtra     = 1 << 2
	flagName      = 1 << 3
	flagComment   = 1 << 4
)

const (
	gzipHeaderSize  = 10
	gzipTrailerSize = 8
	// maxHeader bounds a header with its name, and what follows the last
	// member, which recipes carry. Longer ones have no recipe.
	maxHeader = 1 << 16
)

func gzipTrailer(crc uint32, length int64) []byte {
	b := binary.LittleEndian.AppendUint32(nil, crc)
	return binary.LittleEndian.AppendUint32(b, uint32(length))
}

func isGzip(b []byte) bool {
	return len(b) >= 3 && b[0] == 0x1f && b[1] == 0x8b && b[2] == 8
}

// readHeader takes a gzip header off r, and returns its bytes. It fails with
// errHeader if there is none.
func readHeader(r *bufio.Reader) ([]byte, error) {
	h, err := take(r, nil, gzipHeaderSize)
	if err != nil {
		return nil, err
	}
	if !isGzip(h) {
		return nil, errHeader
	}
	flags := h[3]
	if flags&flagExtra != 0 {
		if h, err = take(r, h, 2); err != nil {
			return nil, err
		}
		if h, err = take(r, h, int(binary.LittleEndian.Uint16(h[len(h)-2:]))); err != nil {
			return nil, err
		}
	}
	for _, f := range []byte{flagName, flagComment} {
		if flags&f != 0 {
			if h, err = takeString(r, h); err != nil {
				return nil, err
			}
		}
	}
	if flags&flagHeaderCRC != 0 {
		return take(r, h, 2)
	}
	return h, nil
}

var errHeader = errors.New("not a gzip header")

// take appends the next n bytes of r to b.
func take(r io.Reader, b []byte, n int) ([]byte, error) {
	at := len(b)
	b = append(b, make([]byte, n)...)
	_, err := io.ReadFull(r, b[at:])
	return b, err
}

// takeString appends the next bytes up to a zero to b.
func takeString(r *bufio.Reader, b []byte) ([]byte, error) {
	for len(b) < maxHeader {
		c, err := r.ReadByte()
		if err != nil {
			return nil, err
		}
		if b = append(b, c); c == 0 {
			return b, nil
		}
	}
	return nil, errHeader
}

// gzipHint reads from a header what may tell the encoder.
func gzipHint(header []byte, last method) hint {
	h := hint{goOS: header[9] == osUnknown, level: defaultLevel, last: last}
	switch header[8] {
	case flagsSlowest:
		h.level = maxLevel
	case flagsFastest:
		h.level = minLevel
	}
	return h
}
