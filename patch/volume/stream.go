package volume

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
)

const chunk = 1 << 20 // bytes read at once

// stream reads r to its end and hands what it reads to work, while it reads
// ahead. After a failure of work it reads no more.
func stream(ctx context.Context, r *io.SectionReader, work func(p []byte) error) error {
	type piece struct {
		buf []byte
		n   int
		err error
	}
	free, full := make(chan []byte, 2), make(chan piece, 2)
	done := make(chan struct{})
	for range cap(free) {
		free <- make([]byte, min(chunk, r.Size()+1))
	}
	go func() {
		defer close(full)
		for buf := range free {
			n, err := io.ReadFull(r, buf)
			full <- piece{buf, n, err}
			select {
			case <-done:
				return
			default:
			}
			if err != nil {
				return
			}
		}
	}()
	defer func() { // the reader is not left at work on r
		close(done)
		close(free)
		for range full {
		}
	}()
	for p := range full {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if p.n > 0 {
			if err := work(p.buf[:p.n]); err != nil {
				return err
			}
		}
		if errors.Is(p.err, io.EOF) || errors.Is(p.err, io.ErrUnexpectedEOF) {
			return nil
		}
		if p.err != nil {
			return p.err
		}
		free <- p.buf
	}
	return nil
}

// both hashes p into two hashes at the same time.
func both(a, b hash.Hash, p []byte) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.Write(p)
	}()
	b.Write(p)
	<-done
}

func sum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

// digestOf is the SHA-256 of the first size bytes of r.
func digestOf(ctx context.Context, r io.ReaderAt, size int64, count io.Writer) (string, error) {
	h := sha256.New()
	var n int64
	err := stream(ctx, io.NewSectionReader(r, 0, size), func(p []byte) error {
		h.Write(p)
		n += int64(len(p))
		_, err := count.Write(p)
		return err
	})
	if err == nil && n < size {
		err = io.ErrUnexpectedEOF
	}
	return sum(h), err
}
