package zdeflate

import (
	"encoding/binary"
	"io"
)

// outputSize is how many bytes are collected before they are written.
const outputSize = 1 << 13

// A bitWriter writes bits, the lowest first. The first error stays.
type bitWriter struct {
	w     io.Writer
	err   error
	bits  uint64
	count uint // bits that are held, less than 32 between calls
	n     int
	buf   [outputSize]byte
}

func (b *bitWriter) reset(w io.Writer) {
	b.w, b.err, b.bits, b.count, b.n = w, nil, 0, 0, 0
}

// put adds up to 32 bits.
func (b *bitWriter) put(v uint32, n uint) {
	b.bits |= uint64(v) << b.count
	b.count += n
	if b.count >= 32 {
		b.room(4)
		binary.LittleEndian.PutUint32(b.buf[b.n:], uint32(b.bits))
		b.n += 4
		b.bits >>= 32
		b.count -= 32
	}
}

// align fills up to a whole byte.
func (b *bitWriter) align() {
	b.room(4)
	for b.count > 0 {
		b.buf[b.n] = byte(b.bits)
		b.n++
		b.bits >>= 8
		b.count -= min(b.count, 8)
	}
}

// bytes writes whole bytes; the position is aligned.
func (b *bitWriter) bytes(p []byte) {
	for len(p) > 0 {
		b.room(1)
		n := copy(b.buf[b.n:], p)
		b.n += n
		p = p[n:]
	}
}

func (b *bitWriter) room(n int) {
	if b.n+n > len(b.buf) {
		b.writeOut()
	}
}

func (b *bitWriter) writeOut() {
	if b.err == nil {
		_, b.err = b.w.Write(b.buf[:b.n])
	}
	b.n = 0
}

// flush hands on all whole bytes.
func (b *bitWriter) flush() error {
	if b.n > 0 {
		b.writeOut()
	}
	return b.err
}
