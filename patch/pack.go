package patch

import (
	"bytes"
	"hash/crc32"

	"github.com/klauspost/compress/flate"
)

// maxDeflate bounds the entries that are deflated, in bytes: they are held in
// memory, so that their local header can say how long they are.
const maxDeflate = 16 << 20

// deflate compresses data where that makes it smaller, and fills in what the
// record says of it. It returns the bytes for the ZIP.
func (r *record) deflate(data []byte) ([]byte, error) {
	r.size, r.crc = int64(len(data)), crc32.ChecksumIEEE(data)
	r.method, r.packed = methodStore, r.size
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if b.Len() >= len(data) {
		return data, nil
	}
	r.method, r.packed = methodDeflate, int64(b.Len())
	r.packCRC = crc32.ChecksumIEEE(b.Bytes())
	return b.Bytes(), nil
}
