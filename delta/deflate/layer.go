package deflate

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// IdentifyLayer reads a compressed layer once, within bounded memory, writes
// what it holds to content (io.Discard if only the recipe is wanted), and looks
// for the recipe that makes it again. The compression is told by the first
// bytes. It is false for what was made by no encoder that is known, or is
// damaged or not compressed; content got some part then. An error is that of
// ctx, of reading or of writing.
func IdentifyLayer(ctx context.Context, blob io.Reader, content io.Writer) (*Recipe, bool, error) {
	s := newStream(blob, content)
	start, err := s.in.Peek(magicSize)
	if s.tape.err != nil {
		return nil, false, fmt.Errorf("cannot read a compressed layer: %w", s.tape.err)
	}
	ok := false
	switch {
	case err != nil:
		return nil, false, nil
	case isGzip(start):
		ok, err = s.members(ctx)
	case isZstd(start):
		ok, err = s.zstd(ctx)
	}
	if err != nil {
		return nil, false, fmt.Errorf("cannot look for a layer's recipe: %w", err)
	}
	if !ok {
		return nil, false, nil
	}
	return &s.recipe, true, nil
}

const magicSize = 4

func isZstd(b []byte) bool { return bytes.HasPrefix(b, []byte{0x28, 0xb5, 0x2f, 0xfd}) }

// maxZstdWindow bounds the memory of reading zstd; it is the limit of the zstd
// program too.
const maxZstdWindow = 128 << 20

// zstd goes through a layer of one zstd frame.
func (s *stream) zstd(ctx context.Context) (bool, error) {
	d, err := zstd.NewReader(s.in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow))
	if err != nil {
		return false, err
	}
	defer d.Close()
	m, n, ok, err := s.search.find(ctx, d, 0, s.tape.end, s.content, zstdCandidates())
	if !ok || err != nil {
		return false, err
	}
	s.recipe.parts = append(s.recipe.parts, part{kind: partStream, method: m, length: n})
	return true, nil
}
