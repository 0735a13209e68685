package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/store"
)

// A shelf holds the uncompressed layers of images, and what is made on the way.
// Its files have no names: they end with the process, whatever ends that.
type shelf struct {
	dir     string
	closers []io.Closer
}

func (s *shelf) close() {
	for _, c := range s.closers {
		c.Close()
	}
}

// temp makes a file without a name.
func (s *shelf) temp() (*os.File, error) {
	f, err := os.CreateTemp(s.dir, atomicfile.Prefix+"*")
	if err != nil {
		return nil, fmt.Errorf("cannot make a temporary file: %w", err)
	}
	s.closers = append(s.closers, f)
	if err := os.Remove(f.Name()); err != nil {
		return nil, fmt.Errorf("cannot make a temporary file: %w", err)
	}
	return f, nil
}

// plain gives a layer uncompressed, with its size, and checked against its diff
// id. A compressed one is unpacked to the disk; most, when not negative, is how
// many bytes it may have.
func (s *shelf) plain(ctx context.Context, l Layer, most int64) (*io.SectionReader, error) {
	r, err := s.unpack(ctx, l, most)
	if err != nil {
		return nil, fmt.Errorf("cannot read layer %q: %w", l.DiffID, err)
	}
	return r, nil
}

func (s *shelf) unpack(ctx context.Context, l Layer, most int64) (*io.SectionReader, error) {
	b, err := l.open(ctx)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, b)
	section := io.NewSectionReader(b, 0, b.Size())
	name := packed(b)
	if name == "" && l.hashed {
		return section, nil
	}
	if name == "" {
		got, err := digestOf(ctx, section)
		if err != nil {
			return nil, err
		}
		return section, compare(got, l.DiffID)
	}
	f, err := s.temp()
	if err != nil {
		return nil, err
	}
	z, err := store.Decompress(name, section)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	hash := digest.SHA256.Digester()
	n, err := verify.Copy(ctx, io.MultiWriter(f, hash.Hash()), limited(z, most))
	if err != nil {
		return nil, err
	}
	return io.NewSectionReader(f, 0, n), compare(hash.Digest(), l.DiffID)
}

// limited refuses content that is longer than most bytes, unless that is
// negative.
func limited(r io.Reader, most int64) io.Reader {
	if most < 0 {
		return r
	}
	return io.MultiReader(io.LimitReader(r, most), endReader{r})
}

// errLonger is content that goes on where it should end.
var errLonger = errors.New("it unpacks to more bytes than the delta says")

// An endReader fails unless its source is at its end.
type endReader struct{ r io.Reader }

func (e endReader) Read([]byte) (int, error) {
	var b [1]byte
	n, err := io.ReadFull(e.r, b[:])
	if n > 0 {
		return 0, errLonger
	}
	return 0, err
}

func compare(got, want digest.Digest) error {
	if got != want {
		return fmt.Errorf("it is damaged: its digest is %s", got)
	}
	return nil
}

// packed names the compression of content by its first bytes; "" is none.
func packed(r io.ReaderAt) string {
	var magic [4]byte
	n, _ := r.ReadAt(magic[:], 0)
	switch {
	case bytes.HasPrefix(magic[:n], []byte{0x1f, 0x8b}):
		return string(store.Gzip)
	case bytes.HasPrefix(magic[:n], []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return string(store.Zstd)
	}
	return ""
}

func digestOf(ctx context.Context, r io.Reader) (digest.Digest, error) {
	hash := digest.SHA256.Digester()
	if _, err := verify.Copy(ctx, hash.Hash(), r); err != nil {
		return "", err
	}
	return hash.Digest(), nil
}
