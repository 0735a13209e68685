package legacy

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/store"
)

// A blob is a layer in its new form.
type blob struct {
	patch.Layer
	from  *Reader
	id    string // the old one
	files bool   // whether the layer has any
}

// blob reads a layer, compresses it, and keeps sizes and digests alone. What is
// compressed a second time is the same: compressors are deterministic.
func (c *converter) blob(ctx context.Context, l *layer) (*blob, error) {
	if b := c.layers[l.id]; b != nil {
		return b, nil
	}
	b := &blob{from: c.set.holder(l.id), id: l.id}
	r, err := b.from.Open(entryOf(l.id, layerFile))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	plain, packed := sha256.New(), &counter{Hash: sha256.New()}
	z, err := c.opts.Compression.NewWriter(packed)
	if err != nil {
		return nil, err
	}
	tee := io.TeeReader(verify.ContextReader(ctx, r), io.MultiWriter(plain, z))
	n, err := readTar(ctx, tee)
	if err != nil {
		return nil, fmt.Errorf("layer %q is no tar file: %w", l.id, err)
	}
	if _, err := io.Copy(io.Discard, tee); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	h, err := l.history()
	if err != nil {
		return nil, fmt.Errorf("layer %q: %w", l.id, err)
	}
	b.files = n > 0
	b.Layer = patch.Layer{
		DiffID: digest.NewDigest(digest.SHA256, plain), Digest: digest.NewDigest(digest.SHA256, packed),
		MediaType: c.opts.Compression.MediaType(), Size: packed.n, CreatedBy: strings.ToValidUTF8(h.CreatedBy, "?"),
	}
	c.layers[l.id] = b
	return b, nil
}

// open compresses the layer again.
func (b *blob) open(c store.Compression) (io.ReadCloser, error) {
	r, err := b.from.Open(entryOf(b.id, layerFile))
	if err != nil {
		return nil, err
	}
	out, in := io.Pipe()
	go func() {
		in.CloseWithError(compress(c, in, r))
	}()
	return out, nil
}

func compress(c store.Compression, w io.Writer, r io.ReadCloser) error {
	z, err := c.NewWriter(w)
	if err == nil {
		_, err = io.Copy(z, r)
		err = errors.Join(err, z.Close())
	}
	return errors.Join(err, r.Close())
}

// A counter is a hash that knows how much went in.
type counter struct {
	hash.Hash
	n int64
}

// Write implements io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return c.Hash.Write(p)
}
