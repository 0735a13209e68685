package image

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/store"
)

// write writes the delta: an OCI layout with one artifact, as a tar. Documents
// come first, and contents in the order of the layers, so that a reader of a
// stream has what it needs when it needs it.
func (c *creation) write(ctx context.Context, w io.Writer) error {
	description := encode(c.description)
	desc := store.Describe(MediaType, description)
	artifact, top := c.description.artifact(desc, c.description.Manifest)
	documents := map[digest.Digest][]byte{
		desc.Digest: description, top.Digest: artifact, c.description.Image.Digest: c.target.Config,
	}
	if c.description.Manifest != nil {
		documents[c.description.Manifest.Digest] = c.target.Manifest
	}
	blobs := append([]ocispec.Descriptor{top, desc}, c.description.artifactLayers()...)
	return writeLayout(ctx, w, top, blobs, func(d ocispec.Descriptor) (io.ReadCloser, error) {
		if b, ok := documents[d.Digest]; ok {
			return io.NopCloser(bytes.NewReader(b)), nil
		}
		r := c.blobs[d.Digest]
		return io.NopCloser(io.NewSectionReader(r, 0, r.Size())), nil
	})
}

// A tarWriter writes an archive whose bytes follow from its content alone.
type tarWriter struct{ w *tar.Writer }

// header begins a file.
func (t tarWriter) header(name string, size int64) error {
	return t.w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: size, ModTime: time.Unix(0, 0)})
}

// bytes writes a small file.
func (t tarWriter) bytes(name string, b []byte) error {
	if err := t.header(name, int64(len(b))); err != nil {
		return err
	}
	_, err := t.w.Write(b)
	return err
}

// layoutHead writes what stands in a layout beside the blobs.
func (t tarWriter) layoutHead(top ocispec.Descriptor) error {
	if err := t.bytes(ocispec.ImageLayoutFile, store.LayoutFile()); err != nil {
		return err
	}
	index, _ := store.NewIndex([]ocispec.Descriptor{top})
	return t.bytes(ocispec.ImageIndexFile, index)
}

// writeLayout writes an OCI layout as a tar: its blobs in the given order, each
// checked on the way.
func writeLayout(ctx context.Context, w io.Writer, top ocispec.Descriptor, blobs []ocispec.Descriptor, open func(ocispec.Descriptor) (io.ReadCloser, error)) error {
	t := tarWriter{tar.NewWriter(w)}
	if err := t.layoutHead(top); err != nil {
		return err
	}
	for _, d := range blobs {
		if err := t.blob(ctx, d, open); err != nil {
			return err
		}
	}
	return t.w.Close()
}

func (t tarWriter) blob(ctx context.Context, d ocispec.Descriptor, open func(ocispec.Descriptor) (io.ReadCloser, error)) error {
	r, err := open(d)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := t.header(blobName(d.Digest), d.Size); err != nil {
		return err
	}
	_, err = verify.Copy(ctx, t.w, verify.NewReader(r, fmt.Sprintf("blob %q", d.Digest), d.Size, d.Digest))
	return err
}
