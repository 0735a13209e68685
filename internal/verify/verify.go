// Package verify checks size and digest of data while it streams.
//
// A [Reader] hands out at most the bytes that were announced, and never the
// last of them when size or digest are wrong: who has read everything without
// an error has read the right content.
package verify

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	"github.com/opencontainers/go-digest"
)

// Kinds of wrong content. Errors of this package wrap one of them.
var (
	ErrShort   = errors.New("content is too short")
	ErrLong    = errors.New("content is too long")
	ErrContent = errors.New("content does not have the digest it should have")
)

// A Reader reads content of a known size and digest.
type Reader struct {
	r    io.Reader
	name string
	want digest.Digest
	size int64
	n    int64
	hash hash.Hash
	err  error
}

// NewReader reads from r what should be size bytes with digest d, which must be
// SHA-256. Errors call it name, for example `blob "sha256:…"`.
func NewReader(r io.Reader, name string, size int64, d digest.Digest) *Reader {
	v := &Reader{r: r, name: name, want: d, size: size, hash: sha256.New()}
	if err := CheckDigest(d); err != nil {
		v.err = fmt.Errorf("cannot check %s: %w", name, err)
	} else if size < 0 {
		v.err = fmt.Errorf("cannot check %s: its size is %d", name, size)
	}
	return v
}

// CheckDigest refuses digests that are malformed or not SHA-256, the only kind
// that layouts and patches hold.
func CheckDigest(d digest.Digest) error {
	if isSHA256(string(d)) {
		return nil
	}
	if err := d.Validate(); err != nil {
		return fmt.Errorf("digest %q: %w", d, err)
	}
	if d.Algorithm() != digest.SHA256 {
		return fmt.Errorf("digest %q is not sha256", d)
	}
	return nil
}

// isSHA256 recognizes the usual digest without the regular expression that
// Validate runs: lists have tens of thousands of them.
func isSHA256(d string) bool {
	hex, ok := strings.CutPrefix(d, "sha256:")
	if !ok || len(hex) != 2*sha256.Size {
		return false
	}
	for _, c := range []byte(hex) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// Read implements io.Reader. Bytes of wrong content are returned up to the
// last chunk, which is held back.
func (v *Reader) Read(p []byte) (int, error) {
	if v.err != nil {
		return 0, v.err
	}
	if left := v.size - v.n; left > 0 {
		p = p[:min(int64(len(p)), left)]
		n, err := v.r.Read(p)
		v.n += int64(n)
		v.hash.Write(p[:n])
		if v.n < v.size {
			return n, v.fail(err)
		}
		if v.err = v.end(); !errors.Is(v.err, io.EOF) {
			return 0, v.err
		}
		return n, nil
	}
	v.err = v.end()
	return 0, v.err
}

// fail turns the source's error into the reader's.
func (v *Reader) fail(err error) error {
	switch {
	case errors.Is(err, io.EOF):
		v.err = fmt.Errorf("%s ends after %d of %d bytes: %w", v.name, v.n, v.size, ErrShort)
	case err != nil:
		v.err = fmt.Errorf("cannot read %s: %w", v.name, err)
	}
	return v.err
}

// end checks that nothing follows and that the digest is right; io.EOF is the
// good answer.
func (v *Reader) end() error {
	var b [1]byte
	n, err := io.ReadFull(v.r, b[:])
	switch {
	case n > 0:
		return fmt.Errorf("%s has more than the %d bytes announced: %w", v.name, v.size, ErrLong)
	case err != io.EOF:
		return fmt.Errorf("cannot read %s: %w", v.name, err)
	}
	if got := digest.NewDigest(digest.SHA256, v.hash); got != v.want {
		return fmt.Errorf("%s is damaged: it should have digest %s and has %s: %w", v.name, v.want, got, ErrContent)
	}
	return io.EOF
}

// chunk is the size of Copy's buffer in bytes; small content gets a small one.
const chunk = 256 << 10

// Copy copies src to dst until EOF or until ctx is done, and returns the bytes
// written. src may be read in another goroutine, which has ended when Copy
// returns.
func Copy(ctx context.Context, dst io.Writer, src io.Reader) (int64, error) {
	n := int64(chunk)
	if v, ok := src.(*Reader); ok {
		n = max(min(n, v.size), 1)
	}
	if n == chunk && dst != io.Discard {
		return pipeline(dst, ContextReader(ctx, src))
	}
	return io.CopyBuffer(struct{ io.Writer }{dst}, ContextReader(ctx, src), make([]byte, n))
}

// ContextReader reads from r and fails with the cause once ctx is done.
func ContextReader(ctx context.Context, r io.Reader) io.Reader { return contextReader{ctx, r} }

type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.r.Read(p)
}
