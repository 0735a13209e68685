package store

import (
	"context"
	"fmt"
	"io"

	"github.com/flotobuild/flotobuild/internal/verify"
)

// Recompress puts a layer into the store in another compression. r is the blob,
// mediaType says how it is compressed. The tar, and so the diff id, stays.
func (s *Store) Recompress(ctx context.Context, r io.Reader, mediaType string, c Compression) (*Layer, error) {
	l, err := s.recompress(ctx, r, mediaType, c)
	if err != nil {
		return nil, fmt.Errorf("cannot recompress layer: %w", err)
	}
	return l, nil
}

func (s *Store) recompress(ctx context.Context, r io.Reader, mediaType string, c Compression) (*Layer, error) {
	plain, err := Decompress(mediaType, verify.ContextReader(ctx, r))
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	return s.layer(c, func(w io.Writer) error {
		_, err := verify.Copy(ctx, w, plain)
		return err
	})
}
