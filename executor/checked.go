package executor

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"io"

	"github.com/opencontainers/go-digest"
)

// checked reads a file that must still be what the plan has seen, and shows its
// progress.
type checked struct {
	r    io.Reader
	hash hash.Hash
}

func newChecked(r io.Reader, t *transfer) *checked {
	c := &checked{hash: sha256.New()}
	c.r = io.TeeReader(r, io.MultiWriter(c.hash, t))
	return c
}

// Read implements io.Reader.
func (c *checked) Read(b []byte) (int, error) { return c.r.Read(b) }

// digest is that of what has been read.
func (c *checked) digest() digest.Digest { return digest.NewDigest(digest.SHA256, c.hash) }

func memoryBlobOf(b []byte) io.Reader { return bytes.NewReader(b) }
