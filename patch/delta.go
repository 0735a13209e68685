package patch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/delta"
	"github.com/flotobuild/flotobuild/delta/recipe"
	"github.com/flotobuild/flotobuild/internal/verify"
)

// Deltas gives the layers that travel as deltas, by the digest of the blob that
// is made of each.
func (d *Description) Deltas() map[digest.Digest]LayerTransport {
	out := make(map[digest.Digest]LayerTransport)
	for _, t := range d.Flotobuild.Transport {
		if t.Kind == TransportDelta && t.Delta != nil {
			out[t.Delta.Blob] = t
		}
	}
	return out
}

// DeltaSizes gives the bytes of the deltas by the diff id of what they make.
func (d *Description) DeltaSizes() map[digest.Digest]int64 {
	sizes := make(map[string]int64)
	for _, c := range d.Flotobuild.Contents {
		sizes[c.Path] = c.Size
	}
	out := make(map[digest.Digest]int64)
	for _, t := range d.Deltas() {
		out[t.DiffID] = sizes[DeltaEntry(t.Delta.Digest)]
	}
	return out
}

// version is the format version that the description needs.
func (d *Description) version() int {
	if slices.ContainsFunc(d.Flotobuild.Transport, func(t LayerTransport) bool { return t.Kind == TransportDelta }) {
		return FormatVersion
	}
	return plainVersion
}

// checkDeltas checks what the description says of deltas, and that the entries
// for them are those listed.
func (d *Description) checkDeltas() error {
	entries := make(map[string]int64)
	for _, c := range d.Flotobuild.Contents {
		if c.Path == DeltaEntry(c.Digest()) {
			entries[c.Path] = c.Size
		}
	}
	listed := make(map[string]bool)
	for _, c := range d.Flotobuild.Contents {
		listed[c.Path] = true
	}
	layers := make(map[digest.Digest]Layer)
	for _, i := range d.Flotobuild.Images {
		for _, m := range i.Manifests {
			for _, l := range m.Layers {
				layers[l.Digest] = l
			}
		}
	}
	made := make(map[digest.Digest]bool)
	for _, t := range d.Flotobuild.Transport {
		if t.Kind != TransportDelta {
			continue
		}
		if err := d.checkDelta(t, layers); err != nil {
			return fmt.Errorf("the delta for the layer with diff id %q: %w", t.DiffID, err)
		}
		e := DeltaEntry(t.Delta.Digest)
		if _, ok := entries[e]; !ok || made[t.Delta.Blob] || listed[BlobEntry(t.Delta.Blob)] {
			return fmt.Errorf("transport names the delta %q, which is not in the patch, or the layer stands there twice", e)
		}
		delete(entries, e)
		made[t.Delta.Blob] = true
	}
	for e := range entries {
		return fmt.Errorf("entry %q belongs to no layer", e)
	}
	return nil
}

// maxTar bounds the tar of a layer, and those of the bases of a delta together:
// as in package delta.
const maxTar = 1 << 44

func (d *Description) checkDelta(t LayerTransport, layers map[digest.Digest]Layer) error {
	if t.Delta == nil {
		return errors.New("transport does not say what it is")
	}
	if err := t.checkDigests(); err != nil {
		return err
	}
	switch l, ok := layers[t.Delta.Blob]; {
	case len(d.Flotobuild.Parents) == 0:
		return errors.New("an initial patch has no parent that it could build on")
	case !ok || l.DiffID != t.DiffID:
		return fmt.Errorf("no image has a layer %q with that diff id", t.Delta.Blob)
	case min(t.Delta.Size, t.Delta.BaseSize) < 0 || max(t.Delta.Size, t.Delta.BaseSize) > maxTar:
		return fmt.Errorf("its sizes are %d and %d bytes, and not between 0 and %d", t.Delta.Size, t.Delta.BaseSize, int64(maxTar))
	case len(t.Delta.Recipe) == 0 && t.Delta.Blob != t.DiffID:
		return errors.New("nothing says how the layer is compressed")
	}
	return nil
}

// checkDigests checks the digests that a delta names.
func (t *LayerTransport) checkDigests() error {
	for _, id := range []digest.Digest{t.Delta.Digest, t.Delta.Blob} {
		if err := verify.CheckDigest(id); err != nil {
			return err
		}
	}
	seen := make(map[digest.Digest]bool, len(t.Bases))
	for _, id := range t.Bases {
		if err := verify.CheckDigest(id); err != nil {
			return fmt.Errorf("base: %w", err)
		}
		if seen[id] || id == t.DiffID {
			return fmt.Errorf("base %q stands twice, or is the layer itself", id)
		}
		seen[id] = true
	}
	return nil
}

// Applicable refuses a delta that this version cannot make a blob of, with
// recipe.ErrEncoder, so that nothing is written before that shows.
func (t *LayerTransport) Applicable() error {
	if _, err := recipe.Parse(t.Delta.Recipe); err != nil {
		if errors.Is(err, recipe.ErrEncoder) {
			err = fmt.Errorf("%w: take the flotobuild that made the patch, or a newer one, or the patch without deltas", err)
		}
		return fmt.Errorf("layer %q: %w", t.DiffID, err)
	}
	return nil
}

// Unpack makes the layer's tar of the delta in r, which is read to its end, and
// writes it to w. bases are trusted to be what their diff ids say. What is
// written counts only where there is no error. It takes the memory of
// delta.Apply.
func (t *LayerTransport) Unpack(ctx context.Context, r io.Reader, bases delta.Bases, w io.Writer) error {
	r, err := t.open(r)
	if err != nil {
		return err
	}
	if _, err := delta.Apply(ctx, r, bases, w, delta.ApplyOptions{Trust: true, MaxSize: max(t.Delta.Size, 1)}); err != nil {
		return err
	}
	return t.end(r)
}

// Apply is Unpack for the layer's blob, which is compressed as its recipe says
// and compared with its digest. No more than size bytes, which the blob must
// have, are written. That the blob unpacks to the layer again follows from
// neither: a recipe may add what it likes.
func (t *LayerTransport) Apply(ctx context.Context, r io.Reader, bases delta.Bases, w io.Writer, size int64) error {
	p, err := recipe.Parse(t.Delta.Recipe)
	if err != nil {
		return err
	}
	out := &bounded{w: w, left: size}
	content, plain := io.Pipe()
	made := make(chan error, 1)
	go func() {
		err := t.Unpack(ctx, r, bases, plain)
		_ = plain.CloseWithError(err) // never fails
		made <- err
	}()
	hash := digest.SHA256.Digester()
	err = p.Encode(ctx, io.MultiWriter(out, hash.Hash()), content)
	_ = content.CloseWithError(errors.Join(err, io.ErrClosedPipe)) // never fails
	if from := <-made; from != nil && (err == nil || !errors.Is(from, io.ErrClosedPipe)) {
		err = from // what Encode says then comes from it
	}
	switch {
	case err != nil:
		return err
	case hash.Digest() != t.Delta.Blob:
		return fmt.Errorf("the delta for layer %q makes the blob %q instead of %q: its recipe is wrong", t.DiffID, hash.Digest(), t.Delta.Blob)
	case out.left > 0:
		return fmt.Errorf("the delta for layer %q makes a blob of %d bytes, and the description says %d", t.DiffID, size-out.left, size)
	}
	return nil
}

// bounded takes no more than left bytes.
type bounded struct {
	w    io.Writer
	left int64
}

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if int64(len(p)) > b.left {
		return 0, errors.New("the blob that the delta makes has more bytes than the description says")
	}
	n, err := b.w.Write(p)
	b.left -= int64(n)
	return n, err
}

// open compares the header of a delta with the description, and gives the delta
// from its begin.
func (t *LayerTransport) open(r io.Reader) (io.Reader, error) {
	var head bytes.Buffer
	h, err := delta.Inspect(io.TeeReader(r, &head))
	if err != nil {
		return nil, err
	}
	var bases []digest.Digest
	var size int64
	for _, b := range h.Bases {
		bases, size = append(bases, b.Digest), size+b.Size
	}
	if h.Target.Digest != t.DiffID || h.Target.Size != t.Delta.Size || !slices.Equal(bases, t.Bases) || size != t.Delta.BaseSize {
		return nil, fmt.Errorf("the delta for layer %q is another one than the description says", t.DiffID)
	}
	return io.MultiReader(&head, r), nil
}

// end sees to it that nothing follows a delta.
func (t *LayerTransport) end(r io.Reader) error {
	n, err := io.Copy(io.Discard, r)
	if err == nil && n > 0 {
		err = fmt.Errorf("%d bytes follow the delta for layer %q", n, t.DiffID)
	}
	return err
}
