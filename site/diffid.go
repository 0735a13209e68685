package site

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/store"
)

// checkDiffID compares what a layer's blob decompresses to with its diff id.
func checkDiffID(ctx context.Context, n need, blob io.Reader) error {
	if !store.Compressed(n.MediaType) {
		if n.Digest != n.DiffID {
			return diffIDError(n, n.Digest)
		}
		return nil
	}
	z, err := store.Decompress(n.MediaType, verify.ContextReader(ctx, blob))
	if err != nil {
		return decompressError(ctx, n, err)
	}
	defer z.Close()
	hash := sha256.New()
	if _, err := verify.Copy(ctx, struct{ io.Writer }{hash}, z); err != nil {
		return decompressError(ctx, n, err)
	}
	if got := digest.NewDigest(digest.SHA256, hash); got != n.DiffID {
		return diffIDError(n, got)
	}
	return nil
}

func decompressError(ctx context.Context, n need, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("layer %q of image %q cannot be decompressed: %w", n.Digest, n.image, err)
}

func diffIDError(n need, got digest.Digest) error {
	return fmt.Errorf("layer %q of image %q has diff id %s, and the description says %s", n.Digest, n.image, got, n.DiffID)
}

// checkStored checks the diff id of a layer that the store has and no patch
// tells of.
func (s *Site) checkStored(ctx context.Context, n need) (err error) {
	b, err := s.blobs.Blob(ctx, n.Digest)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	return checkDiffID(ctx, n, io.NewSectionReader(b, 0, b.Size()))
}
