package image

import (
	"context"
	"errors"
	"fmt"
	"os"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/internal/regular"
	"github.com/flotobuild/flotobuild/store"
)

// A File is an open delta of an image.
type File struct {
	Artifact
	// Bytes is the size of the file.
	Bytes int64

	imageConfig, imageManifest []byte
	tar                        *tarfile
	f                          *os.File
}

// Read opens a delta of an image. Its documents are checked; what it carries of
// layers is checked when it is used. Other files give ErrMalformed.
func Read(ctx context.Context, path string) (*File, error) {
	f, err := read(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("cannot read delta %q: %w", path, err)
	}
	return f, nil
}

func read(ctx context.Context, path string) (*File, error) {
	f, info, err := regular.Open(path)
	if err != nil {
		return nil, bare(err)
	}
	d := &File{f: f, Bytes: info.Size()}
	if err := d.load(ctx); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return d, nil
}

// Close closes the file.
func (f *File) Close() error { return f.f.Close() }

func (f *File) load(ctx context.Context) error {
	var err error
	if f.tar, err = indexTar(ctx, f.f, f.Bytes); err != nil {
		return fmt.Errorf("%w: it is no tar: %w", ErrMalformed, err)
	}
	all, err := f.tar.images()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if len(all) != 1 || all[0].ArtifactType != MediaType {
		return fmt.Errorf("%w: it is a layout with something else in it", ErrMalformed)
	}
	if err := f.documents(ctx, all[0]); err != nil {
		return err
	}
	for _, l := range f.Layers {
		if l.Content == nil {
			continue
		}
		r, err := f.tar.open(blobName(l.Content.Digest))
		if err != nil {
			return fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		if r.Size() != l.Content.Size {
			return fmt.Errorf("%w: it has %d bytes of %q instead of %d", ErrMalformed, r.Size(), l.Content.Digest, l.Content.Size)
		}
	}
	return nil
}

// documents reads the description, and what it names, and holds them against
// each other.
func (f *File) documents(ctx context.Context, top ocispec.Descriptor) error {
	raw, err := f.blob(ctx, top)
	if err != nil {
		return err
	}
	d, err := ParseArtifact(ctx, raw, f.tar)
	if err != nil {
		return err
	}
	f.Artifact = *d
	if f.imageConfig, err = f.blob(ctx, d.Image); err != nil {
		return err
	}
	ids, err := diffIDs(f.imageConfig)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if len(ids) != len(d.Layers) {
		return fmt.Errorf("%w: it has %d layers, and the image %d", ErrMalformed, len(d.Layers), len(ids))
	}
	for i, l := range d.Layers {
		if l.DiffID != ids[i] {
			return fmt.Errorf("%w: its layer %d is not that of the image", ErrMalformed, i)
		}
	}
	if d.Manifest == nil {
		return nil
	}
	f.imageManifest, err = f.blob(ctx, *d.Manifest)
	return err
}

func (f *File) blob(ctx context.Context, d ocispec.Descriptor) ([]byte, error) {
	b, err := store.ReadBlob(ctx, f.tar, d)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return b, nil
}
