package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/internal/regular"
	"github.com/flotobuild/flotobuild/store"
)

// A Form is how an image stands on a disk.
type Form string

// The forms of images.
const (
	Layout        Form = "oci-layout"     // a folder
	LayoutArchive Form = "oci-archive"    // a tar of such a folder
	DockerArchive Form = "docker-archive" // what docker save writes
	Tar           Form = "tar"            // a bare layer, or any other bytes
)

// A Choice says which image of several is meant.
type Choice struct {
	Name     string        // the last part of its name or tag; "" for the only one
	Digest   digest.Digest // of the manifest or index; "" for any
	Platform string        // such as linux/arm64; "" for the only one
}

// An Image is an open image.
type Image struct {
	Form     Form
	Config   []byte // verbatim; nil for a bare tar
	Manifest []byte // verbatim; nil where the form has none
	ID       ocispec.Descriptor
	Layers   []Layer // base first

	described ocispec.Descriptor // of Manifest
	blobs     store.Source       // nil for docker archives and tars
	closers   []io.Closer
}

// A Layer is a layer of an open image.
type Layer struct {
	DiffID digest.Digest
	Blob   ocispec.Descriptor // as the manifest has it; zero where there is none

	hashed bool // the diff id was computed when the layer was opened
	open   func(context.Context) (store.Blob, error)
}

// compressed tells whether the manifest has the layer compressed.
func (l *Layer) compressed() bool { return l.Blob.Digest != "" && l.Blob.Digest != l.DiffID }

// Close closes the image's files.
func (i *Image) Close() error {
	var errs []error
	for _, c := range i.closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// Open opens an image in any form, told by what the path has. Layers are not
// read yet. A file that is no archive of images is taken for a bare tar.
func Open(ctx context.Context, path string, c Choice) (*Image, error) {
	i, err := open(ctx, path, c)
	if err != nil {
		return nil, fmt.Errorf("cannot open image %q: %w", path, err)
	}
	return i, nil
}

func open(ctx context.Context, path string, c Choice) (*Image, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		s, err := store.Open(path)
		if err != nil {
			return nil, err
		}
		all, err := s.Images()
		if err != nil {
			return nil, err
		}
		return openLayout(ctx, s, all, c, Layout)
	}
	f, info, err := regular.Open(path)
	if err != nil {
		return nil, bare(err)
	}
	i, err := openFile(ctx, f, info.Size(), c)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	i.closers = append(i.closers, f)
	return i, nil
}

func openFile(ctx context.Context, f *os.File, size int64, c Choice) (*Image, error) {
	t, err := indexTar(ctx, f, size)
	switch {
	case ctx.Err() != nil:
		return nil, err
	case err == nil && t.has(ocispec.ImageLayoutFile) && t.has(ocispec.ImageIndexFile):
		all, err := t.images()
		if err != nil {
			return nil, err
		}
		return openLayout(ctx, t, all, c, LayoutArchive)
	case err == nil:
		if all := t.dockerImages(); all != nil {
			return openDocker(t, all, c)
		}
	}
	if c != (Choice{}) {
		return nil, errors.New("it is a bare tar: there is no image to choose")
	}
	return openTar(ctx, f, size)
}

// images gives the entries of index.json.
func (t *tarfile) images() ([]ocispec.Descriptor, error) {
	b, err := t.document(ocispec.ImageIndexFile)
	if err != nil {
		return nil, err
	}
	var index ocispec.Index
	if err := json.Unmarshal(b, &index); err != nil {
		return nil, fmt.Errorf("cannot parse %q: %w", ocispec.ImageIndexFile, err)
	}
	return index.Manifests, nil
}

// openTar takes a file as one layer without a config.
func openTar(ctx context.Context, f *os.File, size int64) (*Image, error) {
	if name := packed(f); name != "" {
		return nil, fmt.Errorf("it is packed with %s: unpack it first, since a delta needs the bytes themselves", name)
	}
	d, err := digestOf(ctx, io.NewSectionReader(f, 0, size))
	if err != nil {
		return nil, err
	}
	l := Layer{DiffID: d, hashed: true, open: func(context.Context) (store.Blob, error) {
		return sectionBlob{io.NewSectionReader(f, 0, size)}, nil
	}}
	return &Image{Form: Tar, Layers: []Layer{l}}, nil
}

// bare takes the path off an error; the caller names it.
func bare(err error) error {
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}
