package delta

import (
	"context"
	"fmt"
	"io"
	"sort"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/internal/verify"
)

// A Layer is an uncompressed layer that can be read at any offset.
type Layer struct {
	Descriptor
	// Content gives its bytes. It must allow concurrent reads.
	Content io.ReaderAt
}

// check reads the layer and refuses it when it is not what its digest says.
func (l *Layer) check(ctx context.Context) error {
	d, err := digestOf(ctx, io.NewSectionReader(l.Content, 0, l.Size))
	if err != nil {
		return fmt.Errorf("cannot read layer %q: %w", l.Digest, err)
	}
	if d != l.Digest {
		return fmt.Errorf("%w: %q has the digest %q", ErrWrongBase, l.Digest, d)
	}
	return nil
}

// A space is the addresses of all bases: they follow each other.
type space struct {
	layers []Layer
	starts []int64 // of each layer, and the end of the last
}

func newSpace(layers []Layer) *space {
	s := &space{layers: layers, starts: make([]int64, 1, len(layers)+1)}
	for _, l := range layers {
		s.starts = append(s.starts, s.size()+l.Size)
	}
	return s
}

func (s *space) size() int64 { return s.starts[len(s.starts)-1] }

// layerAt gives the number of the layer that has the address a.
func (s *space) layerAt(a int64) int {
	return sort.Search(len(s.layers), func(i int) bool { return s.starts[i+1] > a })
}

// readFull fills p with what stands from the address a on.
func (s *space) readFull(p []byte, a int64) error {
	for len(p) > 0 {
		i := s.layerAt(a)
		if a < 0 || i == len(s.layers) {
			return fmt.Errorf("%w: it refers to what no base has", ErrMalformed)
		}
		n := int(min(int64(len(p)), s.starts[i+1]-a))
		if err := readFullAt(s.layers[i].Content, p[:n], a-s.starts[i]); err != nil {
			return fmt.Errorf("cannot read base %q: %w", s.layers[i].Digest, err)
		}
		p, a = p[n:], a+int64(n)
	}
	return nil
}

// readFullAt fills p; a reader may say io.EOF with the last bytes.
func readFullAt(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

func digestOf(ctx context.Context, r io.Reader) (digest.Digest, error) {
	d := digest.Canonical.Digester()
	if _, err := io.Copy(d.Hash(), verify.ContextReader(ctx, r)); err != nil {
		return "", err
	}
	return d.Digest(), nil
}
