package patch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/internal/verify"
)

// brings says whether the patch carries a blob, or what makes it.
func (v *verification) brings(d digest.Digest) bool {
	_, made := v.makes[d]
	return made || v.p.Has(d)
}

// delta checks a delta: its frame or, with the bases at hand, all of it.
func (v *verification) delta(ctx context.Context, t LayerTransport, r io.Reader) error {
	v.mu.Lock()
	v.report.Deltas++
	v.mu.Unlock()
	if err := t.Applicable(); err != nil {
		return err
	}
	apply, err := v.haveBases(ctx, t)
	if err != nil {
		return err
	}
	if !apply {
		if r, err = t.open(r); err == nil {
			_, err = verify.Copy(ctx, io.Discard, r)
		}
		return inEntry(t, err)
	}
	v.apply.Lock()
	defer v.apply.Unlock()
	if err := v.made(ctx, t, r); err != nil {
		return inEntry(t, err)
	}
	v.mu.Lock()
	v.report.Applied++
	v.mu.Unlock()
	return nil
}

// made checks the blob that a delta makes as if it travelled whole.
func (v *verification) made(ctx context.Context, t LayerTransport, r io.Reader) error {
	l := v.layers[BlobEntry(t.Delta.Blob)]
	bases := func(d digest.Digest) (io.ReaderAt, int64, error) { return v.bases(ctx, d) }
	blob, w := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)                                      // r is read no more
		_ = w.CloseWithError(t.Apply(ctx, r, bases, w, l.Size)) // never fails
	}()
	err := v.layer(ctx, l, blob)
	_ = blob.CloseWithError(io.ErrClosedPipe) // never fails
	<-ended
	return err
}

func inEntry(t LayerTransport, err error) error {
	if err != nil {
		err = fmt.Errorf("entry %q: %w", DeltaEntry(t.Delta.Digest), err)
	}
	return err
}

// haveBases says whether all bases of a delta are at hand.
func (v *verification) haveBases(ctx context.Context, t LayerTransport) (bool, error) {
	if v.bases == nil {
		return false, nil
	}
	v.apply.Lock()
	defer v.apply.Unlock()
	for _, id := range t.Bases {
		_, _, err := v.bases(ctx, id)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("cannot read a base of the delta for layer %q: %w", t.DiffID, err)
		}
	}
	return true, nil
}

// missingBases reports bases of deltas that a parent does not have, and counts
// them.
func (v *verification) missingBases(parent *Description) int {
	has := set(parent.RequiredImageIDs)
	n := 0
	for _, t := range v.makes {
		for _, id := range t.Bases {
			if !has[id] {
				n++
				v.problem(fmt.Errorf("layer %q, a base of the delta for layer %q, is not in the parent %q", id, t.DiffID, parent.ID))
			}
		}
	}
	return n
}
