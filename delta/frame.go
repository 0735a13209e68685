package delta

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
)

// maxFrame bounds a frame: a block whose streams could not be packed, and their
// lengths.
const maxFrame = maxBlock + 1<<12

// appendFrame appends the frame of a block: length, bytes, SHA-256 of both. The
// last frame of a delta is an empty one.
func appendFrame(dst, payload []byte) []byte {
	from := len(dst)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(payload)))
	dst = append(dst, payload...)
	sum := sha256.Sum256(dst[from:])
	return append(dst, sum[:]...)
}

// readFrame reads a frame into b, which it may use again, and returns the
// payload. It takes no more memory than there are bytes to read.
func readFrame(r io.Reader, b *bytes.Buffer) ([]byte, error) {
	b.Reset()
	if _, err := io.CopyN(b, r, 4); err != nil {
		return nil, short(err)
	}
	n := int64(binary.LittleEndian.Uint32(b.Bytes()))
	if n > maxFrame {
		return nil, fmt.Errorf("%w: a frame has %d bytes, more than %d", ErrMalformed, n, maxFrame)
	}
	if _, err := io.CopyN(b, r, n+sha256.Size); err != nil {
		return nil, short(err)
	}
	all := b.Bytes()
	if sum := sha256.Sum256(all[:4+n]); !bytes.Equal(sum[:], all[4+n:]) {
		return nil, fmt.Errorf("%w: the digest of a frame is wrong", ErrMalformed)
	}
	return all[4 : 4+n], nil
}
