package delta

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// A cursor reads a stream. After its end it gives zeros and keeps an error.
type cursor struct {
	b   []byte
	err error
}

func (c *cursor) fail() {
	c.b = nil
	if c.err == nil {
		c.err = fmt.Errorf("%w: a stream ends too early", ErrMalformed)
	}
}

func (c *cursor) byte() byte {
	if len(c.b) == 0 {
		c.fail()
		return 0
	}
	v := c.b[0]
	c.b = c.b[1:]
	return v
}

// uvarint reads a number that is not negative.
func (c *cursor) uvarint() int64 {
	v, n := binary.Uvarint(c.b)
	if n <= 0 || v > 1<<62 {
		c.fail()
		return 0
	}
	c.b = c.b[n:]
	return int64(v)
}

func (c *cursor) varint() int64 {
	v, n := binary.Varint(c.b)
	if n <= 0 || v > 1<<62 || v < -1<<62 {
		c.fail()
		return 0
	}
	c.b = c.b[n:]
	return v
}

// text gives the bytes before the next zero.
func (c *cursor) text() []byte {
	text, rest, ok := bytes.Cut(c.b, []byte{0})
	if !ok {
		c.fail()
		return nil
	}
	c.b = rest
	return text
}

// take gives the next n bytes.
func (c *cursor) take(n int) []byte {
	if n > len(c.b) {
		c.fail()
		return nil
	}
	p := c.b[:n]
	c.b = c.b[n:]
	return p
}
