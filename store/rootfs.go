package store

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/internal/verify"
)

// A Layer is a layer blob with the digest of its tar.
type Layer struct {
	DiffID     digest.Digest
	Descriptor ocispec.Descriptor
}

// ImportRootfs turns a tar file of a root file system into one layer in the
// store. r may be compressed with gzip, zstd or xz and is read to its end.
// What stands below dev/ is left out, since container engines make their own
// devices; everything else is kept with owner, mode, times and extended
// attributes. The same tar gives the same layer.
//
// An uncompressed tar that was cut off between two entries is not noticed
// here: callers know the size and digest that the file should have, and pass a
// reader that checks them.
func (s *Store) ImportRootfs(ctx context.Context, r io.Reader, c Compression) (*Layer, error) {
	l, err := s.importRootfs(ctx, verify.ContextReader(ctx, r), c)
	if err != nil {
		return nil, fmt.Errorf("cannot import root file system: %w", err)
	}
	return l, nil
}

func (s *Store) importRootfs(ctx context.Context, r io.Reader, c Compression) (*Layer, error) {
	return s.layer(c, func(w io.Writer) error { return filter(ctx, w, r) })
}

// layer puts a layer into the store whose tar write gives.
func (s *Store) layer(c Compression, write func(io.Writer) error) (*Layer, error) {
	w, err := s.Writer()
	if err != nil {
		return nil, err
	}
	defer w.Abort()
	z, err := c.NewWriter(w)
	if err != nil {
		return nil, err
	}
	hash := sha256.New()
	if err := write(io.MultiWriter(hash, z)); err != nil {
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

// filter decompresses r and copies its tar entries to w.
func filter(ctx context.Context, w io.Writer, r io.Reader) error {
	plain, err := detect(r)
	if err != nil {
		return err
	}
	defer plain.Close()
	out := tar.NewWriter(w)
	n, err := copyEntries(out, tar.NewReader(plain))
	if err != nil {
		return err
	}
	if n == 0 {
		return errors.New("the tar file has no entries")
	}
	if err := out.Close(); err != nil {
		return err
	}
	// Padding behind the end marker, and a check sum at the end of the file.
	if _, err := verify.Copy(ctx, io.Discard, plain); err != nil {
		return err
	}
	_, err = verify.Copy(ctx, io.Discard, r)
	return err
}

// copyEntries copies what belongs into the layer and counts it.
func copyEntries(out *tar.Writer, in *tar.Reader) (int, error) {
	buf := make([]byte, 256<<10)
	for n := 0; ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		keep, err := selectEntry(h)
		if err != nil {
			return n, err
		}
		if !keep {
			continue
		}
		if err := copyEntry(out, in, h, buf); err != nil {
			return n, fmt.Errorf("entry %q: %w", h.Name, err)
		}
		n++
	}
}

func copyEntry(out *tar.Writer, in *tar.Reader, h *tar.Header, buf []byte) error {
	if err := out.WriteHeader(unsparse(h)); err != nil {
		return err
	}
	_, err := io.CopyBuffer(out, in, buf)
	return err
}
