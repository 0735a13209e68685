package image

import (
	"archive/tar"
	"context"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/store"
)

func dirOf(path string) string { return filepath.Dir(filepath.Clean(path)) }

// top is the entry of the new image in an index.
func (a *application) top(o ApplyOptions) ocispec.Descriptor {
	top := a.result.Manifest
	if o.Name != "" {
		top.Annotations = map[string]string{ocispec.AnnotationRefName: o.Name}
	}
	return top
}

// blobs are all blobs of the new image, each once.
func (a *application) blobs() []part {
	document := func(d ocispec.Descriptor, b []byte) part {
		return part{d, func(_ context.Context, w io.Writer) error { _, err := w.Write(b); return err }}
	}
	all := []part{document(a.result.Manifest, a.manifest), document(a.file.Image, a.file.imageConfig)}
	seen := make(map[digest.Digest]bool)
	for _, p := range a.parts {
		if !seen[p.desc.Digest] {
			all = append(all, p)
		}
		seen[p.desc.Digest] = true
	}
	return all
}

// layout writes the new image as a folder.
func (a *application) layout(ctx context.Context, path string, o ApplyOptions) (*Result, error) {
	err := atomicfile.NewFolder(path, func(root *os.Root) error {
		if err := a.open(ctx); err != nil {
			return err
		}
		s, err := store.Create(root.Name())
		if err != nil {
			return err
		}
		for _, p := range a.blobs() {
			if err := put(ctx, s, p); err != nil {
				return err
			}
		}
		index, _ := store.NewIndex([]ocispec.Descriptor{a.top(o)})
		return root.WriteFile(ocispec.ImageIndexFile, index, 0o644)
	})
	return &a.result, err
}

// put writes a blob into a store.
func put(ctx context.Context, s *store.Store, p part) error {
	w, err := s.Writer()
	if err != nil {
		return err
	}
	defer w.Abort()
	c := &checked{w: w, desc: p.desc, left: p.desc.Size}
	if err := p.write(ctx, c); err != nil {
		return fmt.Errorf("cannot make blob %q: %w", p.desc.Digest, err)
	}
	// The store hashes what it gets. Its folder goes with all that is in it
	// where that is wrong.
	got, err := w.Commit()
	if err != nil {
		return err
	}
	return c.compare(got.Digest)
}

// archive writes the new image as a tar of an OCI layout.
func (a *application) archive(ctx context.Context, path string, o ApplyOptions) (*Result, error) {
	err := a.newFile(ctx, path, func(t tarWriter) error {
		if err := t.layoutHead(a.top(o)); err != nil {
			return err
		}
		for _, p := range a.blobs() {
			if err := t.part(ctx, blobName(p.desc.Digest), p); err != nil {
				return err
			}
		}
		return nil
	})
	return &a.result, err
}

// docker writes the new image as docker save would, with plain layers.
func (a *application) docker(ctx context.Context, path string, o ApplyOptions) (*Result, error) {
	a.result.ID = a.file.Image.Digest
	d := dockerImage{Config: a.file.Image.Digest.Encoded() + ".json", Layers: []string{}}
	if o.Name != "" {
		d.RepoTags = []string{o.Name}
	}
	err := a.newFile(ctx, path, func(t tarWriter) error {
		if err := t.bytes(d.Config, a.file.imageConfig); err != nil {
			return err
		}
		seen := make(map[string]bool)
		for _, l := range a.file.Layers {
			name := l.DiffID.Encoded() + ".tar"
			d.Layers = append(d.Layers, name)
			if seen[name] {
				continue
			}
			seen[name] = true
			p := part{ocispec.Descriptor{Digest: l.DiffID, Size: l.Size}, a.plain(l, true)}
			if err := t.part(ctx, name, p); err != nil {
				return err
			}
		}
		return t.bytes(dockerManifest, append(encode([]dockerImage{d}), '\n'))
	})
	return &a.result, err
}

// newFile makes a file that must not exist, whole or not at all.
func (a *application) newFile(ctx context.Context, path string, fill func(tarWriter) error) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%q: %w", path, fs.ErrExist)
	}
	if err := a.open(ctx); err != nil {
		return err
	}
	f, err := atomicfile.Create(dirOf(path), 0o666)
	if err != nil {
		return err
	}
	defer f.Abort()
	t := tarWriter{tar.NewWriter(f)}
	if err := fill(t); err != nil {
		return err
	}
	if err := t.w.Close(); err != nil {
		return err
	}
	return f.Publish(path)
}

// part writes a blob that is made on the way.
func (t tarWriter) part(ctx context.Context, name string, p part) error {
	if err := t.header(name, p.desc.Size); err != nil {
		return err
	}
	c := newChecked(t.w, p.desc)
	if err := p.write(ctx, c); err != nil {
		return fmt.Errorf("cannot make blob %q: %w", p.desc.Digest, err)
	}
	return c.end()
}

// A checked writer takes a blob's bytes and no others.
type checked struct {
	w    io.Writer
	desc ocispec.Descriptor
	hash hash.Hash // nil where w has one
	left int64
}

func newChecked(w io.Writer, d ocispec.Descriptor) *checked {
	return &checked{w: w, desc: d, hash: digest.SHA256.Hash(), left: d.Size}
}

func (c *checked) Write(p []byte) (int, error) {
	if int64(len(p)) > c.left {
		return 0, fmt.Errorf("%w: it makes more than %d bytes", ErrMalformed, c.desc.Size)
	}
	n, err := c.w.Write(p)
	if c.hash != nil {
		c.hash.Write(p[:n])
	}
	c.left -= int64(n)
	return n, err
}

func (c *checked) end() error { return c.compare(digest.NewDigest(digest.SHA256, c.hash)) }

func (c *checked) compare(got digest.Digest) error {
	if c.left > 0 || got != c.desc.Digest {
		return fmt.Errorf("%w: it makes %q instead of blob %q", ErrMalformed, got, c.desc.Digest)
	}
	return nil
}
