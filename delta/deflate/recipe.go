package deflate

import (
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
)

// The kinds of parts.
const (
	partLiteral = iota
	partCopy
	partStream
	partTrailer
)

// A part is a piece of the compressed bytes.
type part struct {
	kind    uint8
	literal []byte
	method  method
	length  int64 // of the content that it takes
}

// A Recipe says how compressed bytes are made from their content.
type Recipe struct {
	parts []part
}

// Size is the length of the content that Encode takes.
func (r *Recipe) Size() int64 {
	n := int64(0)
	for _, p := range r.parts {
		n += p.length
	}
	return n
}

// String names the encoders, for people.
func (r *Recipe) String() string {
	var names []string
	for _, p := range r.parts {
		if p.kind != partStream {
			continue
		}
		if s := p.method.String(); len(names) == 0 || names[len(names)-1] != s {
			names = append(names, s)
		}
	}
	return strings.Join(names, ", ")
}

// Check says, with ErrEncoder, whether Encode would lack an encoder that the
// recipe names: who has another way decides before anything is written. Each
// encoder is made once, however many streams a hostile recipe has.
func (r *Recipe) Check() error {
	seen := make(map[method]bool)
	for _, p := range r.parts {
		if p.kind != partStream || seen[p.method] {
			continue
		}
		seen[p.method] = true
		if _, err := p.method.open(io.Discard); err != nil {
			return err
		}
	}
	return nil
}

// Encode writes the compressed bytes of content, as one stream within bounded
// memory. Content that is not what the recipe was made from gives other bytes
// without an error, unless it is too short or too long: who has a digest of the
// result checks it.
func (r *Recipe) Encode(ctx context.Context, w io.Writer, content io.Reader) error {
	e := encoding{ctx: ctx, w: w, content: content}
	for _, p := range r.parts {
		if err := e.part(p); err != nil {
			return err
		}
	}
	var one [1]byte
	if n, err := io.ReadFull(content, one[:]); n > 0 {
		return fmt.Errorf("cannot compress the content: it is longer than the %d bytes that the recipe takes", r.Size())
	} else if err != io.EOF {
		return fmt.Errorf("cannot read the content: %w", err)
	}
	return nil
}

// An encoding is the work of Encode.
type encoding struct {
	ctx     context.Context
	w       io.Writer
	content io.Reader
	crc     uint32 // of the last stream's content
	length  int64
	buf     []byte
}

func (e *encoding) part(p part) error {
	switch p.kind {
	case partLiteral:
		return e.write(p.literal)
	case partTrailer:
		return e.write(gzipTrailer(e.crc, e.length))
	case partCopy:
		return e.feed(e.w, p.length)
	}
	enc, err := p.method.open(e.w)
	if err != nil {
		return err
	}
	e.crc, e.length = 0, p.length
	if err := e.feed(enc, p.length); err != nil {
		enc.Close()
		return err
	}
	if err := enc.Close(); err != nil {
		return fmt.Errorf("cannot compress the content: %w", err)
	}
	return nil
}

func (e *encoding) write(p []byte) error {
	if _, err := e.w.Write(p); err != nil {
		return fmt.Errorf("cannot write compressed bytes: %w", err)
	}
	return nil
}

// feed gives the next bytes of the content to w.
func (e *encoding) feed(w io.Writer, n int64) error {
	if e.buf == nil {
		e.buf = make([]byte, chunkSize)
	}
	for n > 0 {
		if err := e.ctx.Err(); err != nil {
			return err
		}
		p := e.buf[:min(n, int64(len(e.buf)))]
		if _, err := io.ReadFull(e.content, p); err != nil {
			return fmt.Errorf("cannot read the content: %d bytes are missing: %w", n, err)
		}
		e.crc = crc32.Update(e.crc, crc32.IEEETable, p)
		if _, err := w.Write(p); err != nil {
			return fmt.Errorf("cannot compress the content: %w", err)
		}
		n -= int64(len(p))
	}
	return nil
}
