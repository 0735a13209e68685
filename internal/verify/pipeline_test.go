package verify

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/opencontainers/go-digest"
)

var errDisk = errors.New("disk full")

// A limited writer fails after some bytes.
type limited struct{ left int }

func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.left {
		return l.left, errDisk
	}
	l.left -= len(p)
	return len(p), nil
}

func TestCopyLarge(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 100_000)
	for name, r := range map[string]func(io.Reader) io.Reader{
		"whole":  func(r io.Reader) io.Reader { return r },
		"halves": iotest.HalfReader, "with the error": iotest.DataErrReader,
		"checked": func(r io.Reader) io.Reader { return NewReader(r, "x", int64(len(data)), digest.FromBytes(data)) },
	} {
		var out bytes.Buffer
		n, err := Copy(t.Context(), &out, r(bytes.NewReader(data)))
		if err != nil || n != int64(len(data)) || !bytes.Equal(out.Bytes(), data) {
			t.Errorf("%s: %d bytes, %v", name, n, err)
		}
	}
}

func TestCopyFailures(t *testing.T) {
	data := strings.Repeat("x", 4*chunk)
	for _, left := range []int{0, 1, chunk, 2*chunk + 1, 4*chunk - 1} {
		n, err := Copy(t.Context(), &limited{left}, strings.NewReader(data))
		if !errors.Is(err, errDisk) || n != int64(left) {
			t.Errorf("room for %d: %d, %v", left, n, err)
		}
	}
	broken := io.MultiReader(strings.NewReader(data), iotest.ErrReader(errDisk))
	if n, err := Copy(t.Context(), new(bytes.Buffer), broken); !errors.Is(err, errDisk) || n != int64(len(data)) {
		t.Errorf("broken source: %d, %v", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Copy(ctx, new(bytes.Buffer), strings.NewReader(data)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
