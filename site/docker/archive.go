package docker

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/store"
)

// An archive writes an image as docker load takes it.
type archive struct {
	ctx      context.Context
	src      store.Source
	manifest *patch.Manifest
	layers   []patch.Layer // that go into it
	zstd     bool          // layers in zstd are taken as they are
	sent     func(int64)   // bytes of layers read so far

	tar       *tar.Writer
	read      int64
	measuring bool // what is read does not count
}

// write writes an OCI layout where complete is set, else the form of docker save.
// Layers that had to be decompressed are compressed again on their way to
// another machine, all in one stream.
func (a *archive) write(w io.Writer, complete, local bool) error {
	var z *gzip.Writer
	if !local && !a.zstd && a.unpacks() {
		var err error
		if z, err = gzip.NewWriterLevel(w, gzip.BestSpeed); err != nil {
			return err
		}
		w = z
	}
	a.tar = tar.NewWriter(w)
	form := a.saved
	if complete {
		form = a.layout
	}
	if err := form(); err != nil {
		return err
	}
	if err := a.tar.Close(); err != nil {
		return err
	}
	if z != nil {
		return z.Close()
	}
	return nil
}

func (a *archive) unpacks() bool {
	for _, l := range a.layers {
		if a.mustUnpack(l) {
			return true
		}
	}
	return false
}

func (a *archive) mustUnpack(l patch.Layer) bool {
	return !a.zstd && strings.HasSuffix(l.MediaType, "zstd")
}

// saved writes the form of docker save. It lists all layers, and holds those
// that the engine lacks: the others it does not open.
func (a *archive) saved() error {
	config, err := store.ReadBlob(a.ctx, a.src, a.manifest.Config)
	if err != nil {
		return err
	}
	name := a.manifest.Config.Digest.Encoded() + ".json"
	if err := a.file(name, config); err != nil {
		return err
	}
	list := make([]string, 0, len(a.manifest.Layers))
	for _, l := range a.manifest.Layers {
		list = append(list, layerName(l))
	}
	index, err := json.Marshal([]map[string]any{{"Config": name, "RepoTags": nil, "Layers": list}})
	if err != nil {
		return err
	}
	if err := a.file("manifest.json", index); err != nil {
		return err
	}
	return a.each(func(l patch.Layer) error {
		if a.mustUnpack(l) {
			return a.unpacked(l)
		}
		return a.blob(layerName(l), l.Digest, l.Size)
	})
}

func layerName(l patch.Layer) string { return l.DiffID.Encoded() + "/layer.tar" }

// layout writes an OCI image layout.
func (a *archive) layout() error {
	m := a.manifest
	index, _ := store.NewIndex([]ocispec.Descriptor{m.Descriptor})
	if err := a.file(ocispec.ImageLayoutFile, store.LayoutFile()); err != nil {
		return err
	}
	if err := a.file(ocispec.ImageIndexFile, index); err != nil {
		return err
	}
	for _, d := range []ocispec.Descriptor{m.Descriptor, m.Config} {
		b, err := store.ReadBlob(a.ctx, a.src, d)
		if err != nil {
			return err
		}
		if err := a.file(blobName(d.Digest), b); err != nil {
			return err
		}
	}
	return a.each(func(l patch.Layer) error { return a.blob(blobName(l.Digest), l.Digest, l.Size) })
}

func blobName(d digest.Digest) string {
	return ocispec.ImageBlobsDir + "/" + d.Algorithm().String() + "/" + d.Encoded()
}

// each calls write once for every different layer.
func (a *archive) each(write func(patch.Layer) error) error {
	seen := make(map[digest.Digest]bool)
	for _, l := range a.layers {
		if seen[l.DiffID] {
			continue
		}
		seen[l.DiffID] = true
		if err := write(l); err != nil {
			return err
		}
	}
	return nil
}

func (a *archive) header(name string, size int64) error {
	return a.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: size, Typeflag: tar.TypeReg})
}

func (a *archive) file(name string, data []byte) error {
	if err := a.header(name, int64(len(data))); err != nil {
		return err
	}
	_, err := a.tar.Write(data)
	return err
}

// blob copies a blob and checks it on the way.
func (a *archive) blob(name string, d digest.Digest, size int64) error {
	if err := a.header(name, size); err != nil {
		return err
	}
	return a.open(d, size, func(r io.Reader) error {
		_, err := verify.Copy(a.ctx, a.tar, r)
		return err
	})
}

// unpacked writes the tar of a layer. Its size stands before it in the archive
// and is recorded nowhere, so that the layer is decompressed twice: that needs
// neither memory nor space for it.
func (a *archive) unpacked(l patch.Layer) error {
	var size int64
	a.measuring = true
	err := a.plain(l, func(r io.Reader) (err error) {
		size, err = verify.Copy(a.ctx, io.Discard, r)
		return err
	})
	a.measuring = false
	if err != nil {
		return err
	}
	if err := a.header(layerName(l), size); err != nil {
		return err
	}
	return a.plain(l, func(r io.Reader) error {
		_, err := verify.Copy(a.ctx, a.tar, r)
		return err
	})
}

func (a *archive) plain(l patch.Layer, use func(io.Reader) error) error {
	return a.open(l.Digest, l.Size, func(r io.Reader) error {
		z, err := store.Decompress(l.MediaType, r)
		if err != nil {
			return fmt.Errorf("cannot decompress layer %q: %w", l.Digest, err)
		}
		defer z.Close()
		if err := use(z); err != nil {
			return err
		}
		_, err = verify.Copy(a.ctx, io.Discard, r) // what stands behind the stream counts for the digest
		return err
	})
}

// open hands out a blob that is checked and counted while it is read.
func (a *archive) open(d digest.Digest, size int64, use func(io.Reader) error) error {
	b, err := a.src.Blob(a.ctx, d)
	if err != nil {
		return err
	}
	defer b.Close()
	r := io.NewSectionReader(b, 0, b.Size())
	return use(&counted{verify.NewReader(r, fmt.Sprintf("blob %q", d), size, d), a})
}

// A counted reader tells how much has been read.
type counted struct {
	io.Reader
	a *archive
}

// Read implements io.Reader.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if n > 0 && !c.a.measuring && c.a.sent != nil {
		c.a.read += int64(n)
		c.a.sent(c.a.read)
	}
	return n, err
}
