package deflate

import (
	"io"

	kflate "github.com/klauspost/compress/flate"
)

// What klauspost/pgzip compresses at once, unless told otherwise, and how much
// of the piece before it refers to.
const (
	pgzipPiece = 1 << 20
	pgzipTail  = 16 << 10
)

// pgzip writes what the Go library klauspost/pgzip writes, which Podman, Buildah
// and Skopeo compress layers with: pieces that are flushed, each with a new
// encoder that knows the end of the piece before.
type pgzip struct {
	out     io.Writer
	encoder *kflate.Writer
	size    int    // of the piece so far
	tail    []byte // its end
}

func newPgzip(w io.Writer, level int) (*pgzip, error) {
	e, err := kflate.NewWriterDict(w, level, nil)
	if err != nil {
		return nil, err
	}
	return &pgzip{out: w, encoder: e}, nil
}

// Write encodes p.
func (z *pgzip) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		part := p[:min(len(p), pgzipPiece-z.size)]
		if _, err := z.encoder.Write(part); err != nil {
			return n - len(p), err
		}
		z.keep(part)
		z.size += len(part)
		p = p[len(part):]
		if z.size == pgzipPiece {
			if err := z.next(); err != nil {
				return n - len(p), err
			}
		}
	}
	return n, nil
}

// keep remembers the end of the piece.
func (z *pgzip) keep(part []byte) {
	if len(part) >= pgzipTail {
		z.tail = append(z.tail[:0], part[len(part)-pgzipTail:]...)
		return
	}
	surplus := max(len(z.tail)+len(part)-pgzipTail, 0)
	z.tail = append(z.tail[:copy(z.tail, z.tail[surplus:])], part...)
}

// next ends a full piece. What follows may be empty.
func (z *pgzip) next() error {
	if err := z.encoder.Flush(); err != nil {
		return err
	}
	z.encoder.ResetDict(z.out, z.tail)
	z.tail, z.size = z.tail[:0], 0
	return nil
}

// Close ends the stream.
func (z *pgzip) Close() error {
	if err := z.encoder.Flush(); err != nil {
		return err
	}
	return z.encoder.Close()
}
