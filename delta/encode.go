package delta

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
)

// A made block is a frame, and how many bytes of the target it is for.
type made struct {
	frame  []byte
	length int64
}

// encode packs a block, makes its bytes again from the packed form, and compares
// them with the target.
func (c *creator) encode(ctx context.Context, b placed) (made, error) {
	payload := b.pack(c.heap.check)
	if len(payload) > maxFrame {
		return made{}, fmt.Errorf("%w: a block has %d bytes", errUnequal, len(payload))
	}
	c.heap.check()
	again, err := parseBlock(payload)
	if err != nil {
		return made{}, fmt.Errorf("%w: %w", errUnequal, err)
	}
	want := &comparer{want: io.NewSectionReader(c.target.Content, b.begin, b.length)}
	w := bufio.NewWriterSize(want, chunk)
	if err := newPlayer(c.bases, w, c.heap.check).play(ctx, again); err != nil {
		return made{}, err
	}
	if err := w.Flush(); err != nil {
		return made{}, err
	}
	if want.n != b.length {
		return made{}, fmt.Errorf("%w: %d bytes are missing", errUnequal, b.length-want.n)
	}
	return made{appendFrame(nil, payload), b.length}, nil
}

func (c *creator) write(m made) error {
	if c.o.Progress != nil {
		c.o.Progress(m.length)
	}
	return c.emit(m.frame)
}

// A comparer takes only what it wants.
type comparer struct {
	want io.Reader
	buf  []byte
	n    int64
}

func (c *comparer) Write(p []byte) (int, error) {
	if cap(c.buf) < len(p) {
		c.buf = make([]byte, len(p))
	}
	b := c.buf[:len(p)]
	if _, err := io.ReadFull(c.want, b); err != nil {
		return 0, fmt.Errorf("cannot read layer: %w", err)
	}
	if !bytes.Equal(b, p) {
		return 0, fmt.Errorf("%w: other bytes within %d from %d on", errUnequal, len(p), c.n)
	}
	c.n += int64(len(p))
	return len(p), nil
}
