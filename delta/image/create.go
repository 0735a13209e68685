package image

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/delta"
	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/store"
)

// A Policy says what a delta does where a layer's compression cannot be made
// again.
type Policy string

// The policies.
const (
	// Require carries the layer as it is compressed, however large that is, so
	// that the manifest keeps its digest.
	Require Policy = "require"
	// Prefer makes a manifest with the uncompressed layer: the image id stays,
	// the manifest's digest does not.
	Prefer Policy = "prefer"
	// Ignore does that with all layers, and looks for no compression.
	Ignore Policy = "ignore"
)

// CreateOptions are what Create may be given besides.
type CreateOptions struct {
	Delta  delta.Options
	Policy Policy // "" for Prefer
	Dir    string // for temporary files; "" for the system's folder
}

// ErrNoImage says that a bare tar stands where an image is needed.
var ErrNoImage = errors.New("it is a bare tar and no image")

// Create writes the delta that makes the image target out of the image old to w.
// It has been applied and compared, layer by layer, when Create returns no
// error; before that it is worthless.
func Create(ctx context.Context, w io.Writer, old, target *Image, o CreateOptions) (*Description, error) {
	c := &creation{shelf: shelf{dir: o.Dir}, old: old, target: target, options: o}
	c.options.Policy = cmp.Or(o.Policy, Prefer)
	defer c.shelf.close()
	if err := c.create(ctx, w); err != nil {
		return nil, fmt.Errorf("cannot make a delta for image %q: %w", target.ID.Digest, err)
	}
	return &c.description, nil
}

type creation struct {
	shelf       shelf
	old, target *Image
	options     CreateOptions
	bases       []delta.Layer
	index       *delta.Index // of the bases; nil until it is needed
	description Description
	blobs       map[digest.Digest]*io.SectionReader // contents
	wanted      []delta.Descriptor                  // bases of the last delta
}

func (c *creation) create(ctx context.Context, w io.Writer) error {
	if c.target.Form == Tar {
		return ErrNoImage
	}
	var err error
	if c.bases, err = c.shelf.layers(ctx, c.old); err != nil {
		return err
	}
	c.blobs = make(map[digest.Digest]*io.SectionReader)
	c.description = Description{Version: version, Image: plainDescriptor(c.target.ID), Bases: []delta.Descriptor{}, Layers: []LayerDescription{}}
	if c.target.Manifest != nil {
		c.description.Manifest = &c.target.described
	}
	for _, l := range c.target.Layers {
		if err := c.layer(ctx, l); err != nil {
			return err
		}
	}
	return c.write(ctx, w)
}

// layers gives the uncompressed layers of an image, each once.
func (s *shelf) layers(ctx context.Context, i *Image) ([]delta.Layer, error) {
	var out []delta.Layer
	for _, l := range i.Layers {
		if slices.ContainsFunc(out, func(o delta.Layer) bool { return o.Digest == l.DiffID }) {
			continue
		}
		r, err := s.plain(ctx, l, -1)
		if err != nil {
			return nil, err
		}
		out = append(out, delta.Layer{Descriptor: delta.Descriptor{Digest: l.DiffID, Size: r.Size()}, Content: r})
	}
	return out, nil
}

// need notes that the old image must have a layer.
func (c *creation) need(b delta.Descriptor) {
	if !slices.Contains(c.description.Bases, b) {
		c.description.Bases = append(c.description.Bases, b)
	}
}

// layer decides how a layer of the target travels.
func (c *creation) layer(ctx context.Context, l Layer) error {
	all := &c.description.Layers
	if i := slices.IndexFunc(*all, func(o LayerDescription) bool { return o.DiffID == l.DiffID }); i >= 0 {
		*all = append(*all, (*all)[i])
		return nil
	}
	if i := slices.IndexFunc(c.bases, func(b delta.Layer) bool { return b.Digest == l.DiffID }); i >= 0 {
		b := c.bases[i].Descriptor
		d := LayerDescription{DiffID: l.DiffID, Size: b.Size, Way: Shared}
		err := c.shared(ctx, &d, l)
		if d.Way == Shared {
			c.need(b)
		}
		*all = append(*all, d)
		return err
	}
	plain, err := c.shelf.plain(ctx, l, -1)
	if err != nil {
		return err
	}
	d := LayerDescription{DiffID: l.DiffID, Size: plain.Size()}
	err = c.carry(ctx, &d, l, plain)
	*all = append(*all, d)
	return err
}

// shared looks for what makes the blob of a layer that the old image has, where
// that has it in another form.
func (c *creation) shared(ctx context.Context, d *LayerDescription, l Layer) error {
	same := slices.ContainsFunc(c.old.Layers, func(o Layer) bool { return o.Blob.Digest == l.Blob.Digest })
	if !l.compressed() || same || c.options.Policy == Ignore {
		return nil
	}
	var err error
	if d.Recipe, err = c.recipe(ctx, l); err == nil && d.Recipe == nil && c.options.Policy == Require {
		err = c.verbatim(ctx, d, l)
	}
	return err
}

// carry chooses the smallest way for a layer.
func (c *creation) carry(ctx context.Context, d *LayerDescription, l Layer, plain *io.SectionReader) error {
	if l.compressed() && c.options.Policy != Ignore {
		var err error
		if d.Recipe, err = c.recipe(ctx, l); err != nil {
			return err
		}
		if d.Recipe == nil && c.options.Policy == Require {
			return c.verbatim(ctx, d, l)
		}
	}
	limit, err := c.change(ctx, d, plain)
	if err != nil {
		return err
	}
	if l.compressed() && l.Blob.Size < limit {
		limit = l.Blob.Size
		if err := c.verbatim(ctx, d, l); err != nil {
			return err
		}
	}
	if err := c.pack(ctx, d, plain, limit); err != nil {
		return err
	}
	if d.Content.Digest == l.Blob.Digest {
		d.Recipe = nil
	}
	for _, b := range c.wanted {
		if d.Way == Delta {
			c.need(b)
		}
	}
	return nil
}

// change makes the delta of a layer and gives its size.
func (c *creation) change(ctx context.Context, d *LayerDescription, plain *io.SectionReader) (int64, error) {
	f, err := c.shelf.temp()
	if err != nil {
		return 0, err
	}
	target := delta.Layer{Descriptor: delta.Descriptor{Digest: d.DiffID, Size: d.Size}, Content: plain}
	hash := digest.SHA256.Digester()
	if c.index == nil {
		if c.index, err = delta.NewIndex(ctx, c.bases, c.options.Delta); err != nil {
			return 0, err
		}
	}
	info, err := c.index.Create(ctx, io.MultiWriter(f, hash.Hash()), target, c.options.Delta.Progress)
	if err != nil {
		return 0, err
	}
	c.wanted = info.Bases
	c.take(d, Delta, ocispec.Descriptor{MediaType: delta.MediaType, Digest: hash.Digest(), Size: info.Size}, f)
	return info.Size, nil
}

// verbatim carries a layer as the target has it.
func (c *creation) verbatim(ctx context.Context, d *LayerDescription, l Layer) error {
	b, err := l.open(ctx)
	if err != nil {
		return err
	}
	c.shelf.closers = append(c.shelf.closers, b)
	c.take(d, Whole, ocispec.Descriptor{MediaType: l.Blob.MediaType, Digest: l.Blob.Digest, Size: l.Blob.Size}, b)
	return nil
}

// take notes what is carried of a layer.
func (c *creation) take(d *LayerDescription, way Way, desc ocispec.Descriptor, content io.ReaderAt) {
	d.Way, d.Content = way, &desc
	c.blobs[desc.Digest] = io.NewSectionReader(content, 0, desc.Size)
}

// errEnough ends packing that has become too large.
var errEnough = errors.New("more than enough")

// A bounded writer takes no more than left bytes.
type bounded struct {
	w    io.Writer
	left int64
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, errEnough
	}
	return b.w.Write(p)
}

// pack packs a layer, and carries it so unless that takes limit bytes or more.
func (c *creation) pack(ctx context.Context, d *LayerDescription, plain *io.SectionReader, limit int64) error {
	f, err := c.shelf.temp()
	if err != nil {
		return err
	}
	hash := digest.SHA256.Digester()
	out := &bounded{io.MultiWriter(f, hash.Hash()), limit - 1}
	z, err := store.Zstd.NewWriter(out)
	if err != nil {
		return err
	}
	_, err = verify.Copy(ctx, z, io.NewSectionReader(plain, 0, plain.Size()))
	err = errors.Join(err, z.Close())
	if err == nil {
		c.take(d, Whole, ocispec.Descriptor{MediaType: store.Zstd.MediaType(), Digest: hash.Digest(), Size: limit - 1 - out.left}, f)
	}
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}
