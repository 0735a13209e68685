package image

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/delta"
	"github.com/flotobuild/flotobuild/internal/atomicfile"
)

// CreateTar writes the delta that makes a bare tar out of the layers of an image
// or another bare tar: a delta of package delta, with nothing around it.
func CreateTar(ctx context.Context, w io.Writer, old, target *Image, o CreateOptions) (*delta.Info, error) {
	s := &shelf{dir: o.Dir}
	defer s.close()
	bases, err := s.layers(ctx, old)
	if err != nil {
		return nil, err
	}
	targets, err := s.layers(ctx, target)
	if err != nil {
		return nil, err
	}
	return delta.Create(ctx, w, targets[0], bases, o.Delta)
}

// ApplyTar makes the bare tar of a delta at path, where nothing may be.
func ApplyTar(ctx context.Context, r io.Reader, old *Image, path string) (*delta.Header, error) {
	if _, err := os.Lstat(path); err == nil {
		return nil, fmt.Errorf("cannot write %q: %w", path, fs.ErrExist)
	}
	s := &shelf{dir: dirOf(path)}
	defer s.close()
	f, err := atomicfile.Create(dirOf(path), 0o666)
	if err != nil {
		return nil, err
	}
	defer f.Abort()
	base := func(d digest.Digest) (io.ReaderAt, int64, error) {
		for _, l := range old.Layers {
			if l.DiffID == d {
				r, err := s.plain(ctx, l, -1)
				if err != nil {
					return nil, 0, err
				}
				return r, r.Size(), nil
			}
		}
		return nil, 0, fmt.Errorf("%w: the old image has no layer %q", delta.ErrWrongBase, d)
	}
	h, err := delta.Apply(ctx, r, base, f, delta.ApplyOptions{Trust: true})
	if err != nil {
		return nil, err
	}
	return h, f.Publish(path)
}
