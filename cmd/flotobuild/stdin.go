package main

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// cancellable reads from r until ctx is done. Where r does not give anything
// any more, the one read that waits for it is left behind.
func cancellable(ctx context.Context, r io.Reader) io.Reader {
	return &cancellableReader{ctx: ctx, r: r}
}

type cancellableReader struct {
	ctx  context.Context
	r    io.Reader
	next chan chunkRead
	buf  []byte // that was read and not handed out
	err  error
}

type chunkRead struct {
	b   []byte
	err error
}

// Read implements io.Reader.
func (i *cancellableReader) Read(p []byte) (int, error) {
	if i.next == nil {
		i.next = make(chan chunkRead, 1)
		go i.fill()
	}
	for len(i.buf) == 0 && i.err == nil {
		select {
		case c := <-i.next:
			i.buf, i.err = c.b, c.err
		case <-i.ctx.Done():
			return 0, context.Cause(i.ctx)
		}
	}
	if len(i.buf) == 0 {
		return 0, i.err
	}
	n := copy(p, i.buf)
	i.buf = i.buf[n:]
	return n, nil
}

// fill reads ahead by one piece.
func (i *cancellableReader) fill() {
	for {
		b := make([]byte, 256<<10)
		n, err := i.r.Read(b)
		if err != nil && !errors.Is(err, io.EOF) {
			err = fmt.Errorf("cannot read standard input: %w", err)
		}
		select {
		case i.next <- chunkRead{b[:n], err}:
		case <-i.ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}
