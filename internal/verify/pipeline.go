package verify

import (
	"errors"
	"io"
	"sync"
)

// pipeline copies src to dst, and reads (and so hashes) the next chunk while one
// is written.
func pipeline(dst io.Writer, src io.Reader) (int64, error) {
	free, full := make(chan []byte, 2), make(chan []byte, 1)
	for range cap(free) {
		free <- make([]byte, chunk)
	}
	var readErr error
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(full)
		for b := range free {
			n, err := readSome(src, b[:chunk])
			if n > 0 {
				full <- b[:n]
			}
			if err != nil {
				readErr = err
				return
			}
		}
	})
	n, err := drain(dst, free, full)
	reading.Wait()
	if errors.Is(readErr, io.EOF) {
		readErr = nil
	}
	if err == nil {
		err = readErr
	}
	return n, err
}

// readSome reads until there is something, or an error.
func readSome(r io.Reader, b []byte) (n int, err error) {
	for n == 0 && err == nil {
		n, err = r.Read(b)
	}
	return n, err
}

// drain writes what comes and gives the buffers back. After a failed write it
// ends the reader.
func drain(dst io.Writer, free chan<- []byte, full <-chan []byte) (int64, error) {
	var written int64
	for b := range full {
		n, err := dst.Write(b)
		written += int64(n)
		if err == nil && n < len(b) {
			err = io.ErrShortWrite
		}
		if err != nil {
			close(free)
			for range full {
				continue
			}
			return written, err
		}
		free <- b
	}
	return written, nil
}
