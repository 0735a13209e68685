package delta

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/adler32"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"

	"github.com/flotobuild/flotobuild/delta/deflate"
)

// The forms of what is deflated.
const (
	formGzip = iota
	formZlib // 2 bytes, the deflate stream, Adler-32
)

// The lengths of what stands around the deflate stream of a gzip file that
// gzipOf makes.
const (
	gzipHead = 10
	gzipTail = 8
	zlibHead = 2
	zlibTail = 4
)

var (
	errInflated = errors.New("it holds too much or too little")
	errZlib     = errors.New("it is no zlib stream")
)

// inflate gives what b holds, if that is something and no more than maxInflated
// bytes. It uses the memory of into, if that is enough.
func inflate(into, b []byte, form int64) ([]byte, error) {
	var r io.Reader
	var err error
	if form == formZlib {
		r, err = zlib.NewReader(bytes.NewReader(b))
	} else {
		r, err = gzip.NewReader(bytes.NewReader(b))
	}
	if err != nil {
		return nil, err
	}
	buf := bytes.NewBuffer(into[:0])
	if _, err := buf.ReadFrom(io.LimitReader(r, maxInflated+1)); err != nil {
		return nil, err
	}
	content := buf.Bytes()
	if len(content) == 0 || len(content) > maxInflated {
		return nil, errInflated
	}
	return content, nil
}

// gzipOf makes a gzip file of a zlib stream, with a header like those that Go
// writes.
func gzipOf(z []byte) ([]byte, error) {
	content, err := inflate(nil, z, formZlib)
	if err != nil {
		return nil, err
	}
	if len(z) < zlibHead+zlibTail || z[0] != 0x78 {
		return nil, errZlib
	}
	head := [gzipHead]byte{0x1f, 0x8b, 8, 9: 255}
	switch z[1] >> 6 {
	case 0:
		head[8] = 4
	case 3:
		head[8] = 2
	}
	g := append(head[:], z[zlibHead:len(z)-zlibTail]...)
	g = binary.LittleEndian.AppendUint32(g, crc32.ChecksumIEEE(content))
	g = binary.LittleEndian.AppendUint32(g, uint32(len(content)))
	again := binary.BigEndian.AppendUint32(nil, adler32.Checksum(content))
	if !bytes.Equal(again, z[len(z)-zlibTail:]) || z[1] != zlibFlags(g) {
		return nil, errZlib
	}
	return g, nil
}

// zlibFlags gives the second byte of a zlib stream, which says how hard its
// writer tried, as the header of a gzip file does.
func zlibFlags(g []byte) byte {
	level := byte(2)
	switch g[8] {
	case 4:
		level = 0
	case 2:
		level = 3
	}
	flags := level << 6
	return flags + 31 - byte((0x78<<8+int(flags))%31)
}

// writeZlib writes the zlib stream whose deflate stream is that of the gzip file
// that r makes.
func writeZlib(ctx context.Context, w io.Writer, r *deflate.Recipe, content []byte) error {
	var g bytes.Buffer
	if err := r.Encode(ctx, &g, bytes.NewReader(content)); err != nil {
		return err
	}
	b := g.Bytes()
	if len(b) < gzipHead+gzipTail {
		return malformed("a zlib stream", errZlib)
	}
	z := append([]byte{0x78, zlibFlags(b)}, b[gzipHead:len(b)-gzipTail]...)
	z = binary.BigEndian.AppendUint32(z, adler32.Checksum(content))
	_, err := w.Write(z)
	return err
}
