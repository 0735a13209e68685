package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/internal/verify"
)

// Put writes the blob that desc describes and checks size and digest while it
// reads. A blob of that digest and size that is there already is kept, and r is
// not read.
func (s *Store) Put(ctx context.Context, desc ocispec.Descriptor, r io.Reader) error {
	if ok, err := s.Has(desc.Digest, desc.Size); ok || err != nil {
		return err
	}
	path, err := s.blob(desc.Digest)
	if err != nil {
		return err
	}
	f, err := atomicfile.Create(s.dir, 0o444)
	if err != nil {
		return err
	}
	defer f.Abort()
	checked := verify.NewReader(r, blobName(desc.Digest), desc.Size, desc.Digest)
	if _, err := verify.Copy(ctx, f, checked); err != nil {
		return fmt.Errorf("cannot store blob %q: %w", desc.Digest, err)
	}
	return f.Replace(path)
}

// A Writer writes a blob whose digest shows at the end.
type Writer struct {
	s    *Store
	f    *atomicfile.File
	hash hash.Hash
	n    int64
}

// Writer begins a blob. The caller ends it with Commit or Abort.
func (s *Store) Writer() (*Writer, error) {
	f, err := atomicfile.Create(s.dir, 0o444)
	if err != nil {
		return nil, err
	}
	return &Writer{s: s, f: f, hash: sha256.New()}, nil
}

// Write implements io.Writer.
func (w *Writer) Write(p []byte) (int, error) {
	n, err := w.f.Write(p)
	w.hash.Write(p[:n])
	w.n += int64(n)
	return n, err
}

// Commit makes the blob part of the store. Media type and the rest of the
// descriptor are for the caller to add.
func (w *Writer) Commit() (ocispec.Descriptor, error) {
	defer w.Abort()
	d := digest.NewDigest(digest.SHA256, w.hash)
	desc := ocispec.Descriptor{Digest: d, Size: w.n}
	if ok, err := w.s.Has(d, w.n); ok || err != nil {
		return desc, err
	}
	path, err := w.s.blob(d)
	if err != nil {
		return desc, err
	}
	return desc, w.f.Replace(path)
}

// Abort drops the blob. After Commit it does nothing.
func (w *Writer) Abort() { w.f.Abort() }
