package delta

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/opencontainers/go-digest"
)

// ErrWrongBase says that a base is not the layer that the delta was made for.
var ErrWrongBase = errors.New("wrong base")

// ApplyOptions are what Apply may be given besides.
type ApplyOptions struct {
	// Trust says that the bases are known to be what their diff ids say, since
	// they come from a store that checks. Else Apply reads all of them first,
	// and refuses wrong ones before it writes anything.
	Trust bool
	// Checked says that the writer checks the digest of what it gets, as a store
	// does. Else Apply does so, which takes a pass over the target.
	Checked bool
	// MaxSize refuses larger targets before anything is written; 0 for any.
	MaxSize int64
	// Progress is told how many more bytes of the target are made; nil for
	// nobody.
	Progress func(n int64)
}

// Bases gives the layer of a diff id, uncompressed, with its size. Apply does
// not close what it gets.
type Bases func(diffID digest.Digest) (content io.ReaderAt, size int64, err error)

// Apply reads a delta from r and writes its target to w, in one pass over both.
// It takes the memory that the header states, and no more than 128 MiB.
//
// What was written counts only when Apply returns no error: that the bytes have
// the target's digest shows at their end, and with Checked not here. Bytes that
// follow the delta in r are left there.
func Apply(ctx context.Context, r io.Reader, bases Bases, w io.Writer, o ApplyOptions) (*Header, error) {
	h, err := readHeader(r)
	if err != nil {
		return nil, fmt.Errorf("cannot apply delta: %w", err)
	}
	if err := apply(ctx, h, r, bases, w, o); err != nil {
		return nil, fmt.Errorf("cannot apply delta for layer %q: %w", h.Target.Digest, err)
	}
	return h, nil
}

func apply(ctx context.Context, h *Header, r io.Reader, bases Bases, w io.Writer, o ApplyOptions) error {
	if o.MaxSize > 0 && h.Target.Size > o.MaxSize {
		return fmt.Errorf("it has %d bytes, more than the %d that are allowed", h.Target.Size, o.MaxSize)
	}
	layers, err := openBases(ctx, h, bases, o)
	if err != nil {
		return err
	}
	out := &checked{w: w, left: h.Target.Size, progress: o.Progress}
	if !o.Checked {
		out.hash = sha256.New()
	}
	// Operations make some dozen bytes each.
	buffered := bufio.NewWriterSize(out, chunk)
	heap := newHeap(applyMemory)
	p := newPlayer(newSpace(layers), buffered, heap.check)
	var frame bytes.Buffer
	for {
		heap.check()
		payload, err := readFrame(r, &frame)
		if err != nil {
			return err
		}
		if len(payload) == 0 {
			return out.finish(h.Target.Digest)
		}
		b, err := parseBlock(payload)
		if err != nil {
			return err
		}
		if b.length > out.left {
			return fmt.Errorf("%w: its blocks make more than %d bytes", ErrMalformed, h.Target.Size)
		}
		if err := p.play(ctx, b); err != nil {
			return err
		}
		if err := buffered.Flush(); err != nil {
			return err
		}
	}
}

func openBases(ctx context.Context, h *Header, bases Bases, o ApplyOptions) ([]Layer, error) {
	layers := make([]Layer, len(h.Bases))
	for i, d := range h.Bases {
		content, size, err := bases(d.Digest)
		if err != nil {
			return nil, fmt.Errorf("cannot open base %q: %w", d.Digest, err)
		}
		if size != d.Size {
			return nil, fmt.Errorf("%w: %q has %d bytes instead of %d", ErrWrongBase, d.Digest, size, d.Size)
		}
		layers[i] = Layer{d, content}
		if o.Trust {
			continue
		}
		if err := layers[i].check(ctx); err != nil {
			return nil, err
		}
	}
	return layers, nil
}

// A checked writer hashes what it passes on, and takes no more than left bytes.
type checked struct {
	w        io.Writer
	hash     hash.Hash // nil where w has one
	left     int64
	progress func(int64)
}

func (c *checked) Write(p []byte) (int, error) {
	if int64(len(p)) > c.left {
		return 0, fmt.Errorf("%w: it makes too many bytes", ErrMalformed)
	}
	n, err := c.w.Write(p)
	if err != nil {
		return n, fmt.Errorf("cannot write layer: %w", err)
	}
	if c.hash != nil {
		c.hash.Write(p)
	}
	c.left -= int64(n)
	if c.progress != nil {
		c.progress(int64(n))
	}
	return n, nil
}

func (c *checked) finish(want digest.Digest) error {
	if c.left > 0 {
		return fmt.Errorf("%w: %d bytes are missing at its end", ErrMalformed, c.left)
	}
	if c.hash == nil {
		return nil
	}
	if got := hex.EncodeToString(c.hash.Sum(nil)); got != want.Encoded() {
		return fmt.Errorf("%w: it makes sha256:%s out of these bases", ErrMalformed, got)
	}
	return nil
}
