package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/internal/verify"
)

// A Blob is an open blob. Its reads do not check the digest.
type Blob interface {
	io.ReaderAt
	io.Closer
	Size() int64 // bytes
}

// A Source gives blobs by digest; stores and patch files are sources. A blob
// that is not there gives an error that is fs.ErrNotExist.
type Source interface {
	Blob(ctx context.Context, d digest.Digest) (Blob, error)
}

type fileBlob struct {
	*os.File
	size int64
}

func (b fileBlob) Size() int64 { return b.size }

// Blob implements Source. The caller closes the blob.
func (s *Store) Blob(_ context.Context, d digest.Digest) (Blob, error) {
	b, err := s.open(d)
	if err != nil {
		return nil, fmt.Errorf("cannot open blob %q: %w", d, err)
	}
	return b, nil
}

func (s *Store) open(d digest.Digest) (*fileBlob, error) {
	path, err := s.blob(d)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	return &fileBlob{f, st.Size()}, nil
}

// Size gives a blob's size in bytes, as its file has it.
func (s *Store) Size(d digest.Digest) (int64, error) {
	path, err := s.blob(d)
	if err != nil {
		return 0, err
	}
	st, err := os.Stat(path)
	if err != nil {
		return 0, fmt.Errorf("cannot find blob %q: %w", d, err)
	}
	return st.Size(), nil
}

// Has says whether the store has a blob with that digest and size.
func (s *Store) Has(d digest.Digest, size int64) (bool, error) {
	n, err := s.Size(d)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return n == size && err == nil, err
}

// Delete removes a blob. One that is not there is no error.
func (s *Store) Delete(d digest.Digest) error {
	path, err := s.blob(d)
	if err == nil {
		err = os.Remove(path)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot delete blob %q: %w", d, err)
	}
	return nil
}

// An Info describes a blob of the store.
type Info struct {
	Digest digest.Digest
	Size   int64 // bytes
}

// List gives the blobs sorted by digest, those set aside left out.
func (s *Store) List() ([]Info, error) {
	entries, err := os.ReadDir(s.blobs())
	if err != nil {
		return nil, fmt.Errorf("cannot list blobs: %w", err)
	}
	var out []Info
	for _, e := range entries {
		d := digest.NewDigestFromEncoded(digest.SHA256, e.Name())
		if d.Validate() != nil || !e.Type().IsRegular() {
			continue
		}
		st, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("cannot list blobs: %w", err)
		}
		out = append(out, Info{d, st.Size()})
	}
	return out, nil
}

// Check reads a blob and compares its digest. A wrong one is set aside under
// its name with ".corrupt" behind; the error is then verify.ErrContent,
// ErrShort or ErrLong.
func (s *Store) Check(ctx context.Context, d digest.Digest, size int64) error {
	b, err := s.open(d)
	if err != nil {
		return fmt.Errorf("cannot check blob %q: %w", d, err)
	}
	defer b.Close()
	_, err = verify.Copy(ctx, io.Discard, verify.NewReader(b.File, blobName(d), size, d))
	if !wrong(err) {
		return err
	}
	return errors.Join(err, s.setAside(b, d))
}

func blobName(d digest.Digest) string { return fmt.Sprintf("blob %q", d) }

// wrong tells damage from trouble with reading.
func wrong(err error) bool {
	return errors.Is(err, verify.ErrContent) || errors.Is(err, verify.ErrShort) || errors.Is(err, verify.ErrLong)
}

// corrupt ends the names of blobs that were set aside.
const corrupt = ".corrupt"

// setAside renames a damaged blob, unless another process has put a new file
// in its place.
func (s *Store) setAside(b *fileBlob, d digest.Digest) error {
	path, err := s.blob(d)
	if err != nil {
		return err
	}
	bad, err := b.Stat()
	if err != nil {
		return fmt.Errorf("cannot set aside %s: %w", blobName(d), err)
	}
	now, err := os.Stat(path)
	if err == nil && os.SameFile(bad, now) {
		err = os.Rename(path, path+corrupt)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot set aside %s: %w", blobName(d), err)
	}
	return nil
}

// SetAside lists the digests of blobs that were set aside as damaged.
func (s *Store) SetAside() ([]digest.Digest, error) {
	entries, err := os.ReadDir(s.blobs())
	if err != nil {
		return nil, fmt.Errorf("cannot list blobs: %w", err)
	}
	var out []digest.Digest
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), corrupt); ok {
			out = append(out, digest.NewDigestFromEncoded(digest.SHA256, name))
		}
	}
	return out, nil
}
