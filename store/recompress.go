package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"

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
	w, err := s.Writer()
	if err != nil {
		return nil, err
	}
	defer w.Abort()
	z, err := c.compress(w)
	if err != nil {
		return nil, err
	}
	hash := sha256.New()
	if _, err := verify.Copy(ctx, io.MultiWriter(hash, z), plain); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	desc, err := w.Commit()
	if err != nil {
		return nil, err
	}
	desc.MediaType = c.MediaType()
	return &Layer{digest.NewDigest(digest.SHA256, hash), desc}, nil
}
