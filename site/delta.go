package site

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/layers"
)

// findDeltas notes the layers that the patch brings as deltas, and what the
// store has for them to build on.
func (i *importing) findDeltas() (err error) {
	i.deltas = make(map[string]patch.LayerTransport)
	for blob, t := range i.h.Description.Deltas() {
		i.deltas[patch.DeltaEntry(t.Delta.Digest)] = t
		i.carried[blob] = true
	}
	if len(i.deltas) > 0 {
		i.layers, _, err = i.site.layers()
	}
	return err
}

// there says whether a blob need not be brought.
func (i *importing) there(d digest.Digest) bool { return i.stored[d] || i.staged[d] }

// missingBases finds the layers that deltas build on and the store does not have.
func (i *importing) missingBases() ([]MissingBlob, error) {
	var out []MissingBlob
	seen := make(map[digest.Digest]bool)
	for _, c := range i.h.Description.Flotobuild.Contents {
		t, ok := i.deltas[c.Path]
		if !ok || i.there(t.Delta.Blob) {
			continue
		}
		for _, id := range t.Bases {
			b, ok := i.layers[id]
			if ok {
				var err error
				if ok, err = i.site.blobs.Has(b.Digest, b.Size); err != nil {
					return nil, err
				}
			}
			if !ok && !seen[id] {
				seen[id] = true
				out = append(out, MissingBlob{Image: i.needs[t.Delta.Blob].image, Digest: b.Digest, DiffID: id, Size: b.Size, Base: true})
			}
		}
	}
	return out, nil
}

// scratch is how many bytes the bases take at most that must be unpacked: they
// stay until the import ends. Layers that are not compressed are read where they
// are. Of bases that several deltas have, the description tells sums only: those
// with the most bases count first, and others where they have further ones.
func (i *importing) scratch() int64 {
	all := slices.Collect(maps.Values(i.deltas))
	slices.SortFunc(all, func(a, b patch.LayerTransport) int {
		return cmp.Or(len(b.Bases)-len(a.Bases), strings.Compare(string(a.Delta.Blob), string(b.Delta.Blob)))
	})
	var sum int64
	counted := make(map[digest.Digest]bool)
	for _, t := range all {
		if i.there(t.Delta.Blob) {
			continue
		}
		n, more := t.Delta.BaseSize, false
		for _, id := range t.Bases {
			if b := i.layers[id]; b.Digest == id {
				n -= b.Size
			} else if !counted[id] {
				counted[id], more = true, true
			}
		}
		if more {
			sum += n
		}
	}
	return sum
}

// delta makes a layer of its delta, in one pass over it. Its blob is checked like
// one that came whole: that the delta gives the layer says nothing of what is
// around that in the blob.
func (i *importing) delta(ctx context.Context, t patch.LayerTransport, r io.Reader, group *errgroup.Group) error {
	n := i.needs[t.Delta.Blob]
	i.openBases()
	bases := func(id digest.Digest) (io.ReaderAt, int64, error) { return i.bases.Tar(ctx, id) }
	err := i.staging.make(n, func(w io.Writer) error {
		return t.Apply(ctx, r, bases, io.MultiWriter(w, i.written()), n.Size)
	})
	if err != nil {
		return fmt.Errorf("cannot make layer %q of image %q of its delta: %w", n.DiffID, n.image, err)
	}
	i.staged[n.Digest] = true
	i.record.Added += n.Size
	i.record.Verified.Layers++
	i.record.Verified.Deltas++
	group.Go(func() error { return i.staging.settle(ctx, n) })
	return nil
}

// openBases makes the layers of the store available as bases.
func (i *importing) openBases() {
	if i.bases != nil {
		return
	}
	i.bases = layers.New(i.staging.dir)
	for id, b := range i.layers {
		i.bases.Hold(i.site.blobs, patch.Layer{DiffID: id, Digest: b.Digest, MediaType: b.MediaType, Size: b.Size})
	}
}

func (i *importing) closeBases() error {
	if i.bases == nil {
		return nil
	}
	return i.bases.Close()
}

// written tells of what is made.
func (i *importing) written() io.Writer {
	return writerFunc(func(p []byte) (int, error) {
		i.progress.Done += int64(len(p))
		i.report(PhaseCopy)
		return len(p), nil
	})
}

type writerFunc func(p []byte) (int, error)

// Write implements io.Writer.
func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// make stages a blob that content writes and checks. It gets its name with
// settle.
func (g *staging) make(n need, content func(io.Writer) error) error {
	f, err := os.OpenFile(g.blobPath(n.Digest)+partial, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o444)
	if err != nil {
		return err
	}
	return errors.Join(content(f), f.Close())
}

// stagedBases is a file of the staging folder: the blobs that deltas build on,
// a line each. The patches that brought them may be removed meanwhile.
const stagedBases = "bases"

// relyOnBases notes for collections what the deltas build on.
func (i *importing) relyOnBases() error {
	var b bytes.Buffer
	for _, t := range i.deltas {
		for _, id := range t.Bases {
			fmt.Fprintln(&b, i.layers[id].Digest)
		}
	}
	return os.WriteFile(i.staging.path(stagedBases), b.Bytes(), 0o666)
}

// bases gives what relyOnBases noted.
func (g *staging) bases() ([]digest.Digest, error) {
	b, err := os.ReadFile(g.path(stagedBases))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var out []digest.Digest
	for line := range strings.Lines(string(b)) {
		out = append(out, digest.Digest(strings.TrimSuffix(line, "\n")))
	}
	return out, nil
}
