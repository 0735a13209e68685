package patch

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/store"
)

// layer checks a layer's blob and the diff id of what it decompresses to, in
// one pass.
func (v *verification) layer(ctx context.Context, l Layer, blob io.Reader) error {
	if !store.Compressed(l.MediaType) {
		return v.plainLayer(ctx, l, blob)
	}
	hash := sha256.New()
	err := decompress(ctx, hash, l.MediaType, blob)
	if _, bad := io.Copy(io.Discard, blob); bad != nil {
		return bad // the blob itself is wrong, which says more
	}
	if err != nil {
		return fmt.Errorf("entry %q cannot be decompressed: %w", BlobEntry(l.Digest), err)
	}
	if got := digest.NewDigest(digest.SHA256, hash); got != l.DiffID {
		return fmt.Errorf("entry %q has diff id %s, and the description says %s", BlobEntry(l.Digest), got, l.DiffID)
	}
	v.layerDone()
	return nil
}

// plainLayer checks an uncompressed layer: its blob is the tar, so that one
// digest says all.
func (v *verification) plainLayer(ctx context.Context, l Layer, blob io.Reader) error {
	if _, err := verify.Copy(ctx, io.Discard, blob); err != nil {
		return err
	}
	if l.Digest != l.DiffID {
		return fmt.Errorf("entry %q has diff id %s, and the description says %s", BlobEntry(l.Digest), l.Digest, l.DiffID)
	}
	v.layerDone()
	return nil
}

func (v *verification) layerDone() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.report.Layers++
}

func decompress(ctx context.Context, w io.Writer, mediaType string, r io.Reader) error {
	z, err := store.Decompress(mediaType, r)
	if err != nil {
		return err
	}
	defer z.Close()
	_, err = verify.Copy(ctx, w, z)
	return err
}

// images compares the manifests and configs that the patch carries with the
// description. Those that parents have were compared when the parents were.
func (v *verification) images(ctx context.Context) {
	if err := v.index(); err != nil {
		v.problem(err)
	}
	c := imageCheck{v.p, v.p.Has}
	for _, i := range v.p.Description.Flotobuild.Images {
		if err := c.image(ctx, i); err != nil {
			v.problem(fmt.Errorf("image %q: %w", i.Name, err))
		}
	}
	for _, i := range v.p.Description.Flotobuild.Bases {
		if err := c.image(ctx, i); err != nil {
			v.problem(fmt.Errorf("base %q: %w", i.Address, err))
		}
	}
}

// index checks that images/index.json is the one that follows from the images.
func (v *verification) index() error {
	b, err := v.p.read(IndexEntry)
	if err != nil {
		return err
	}
	return CheckIndex(b, v.p.Description.Flotobuild.Images)
}

// completeness checks that the patch and each parent together have what is
// required.
func (v *verification) completeness(atHand []*Header) {
	d := v.p.Description
	v.contained()
	v.release(atHand)
	if len(d.Flotobuild.Parents) == 0 {
		v.missing("the patch", nil)
		return
	}
	var found []*Description
	for _, ref := range d.Flotobuild.Parents {
		r := ParentReport{ID: ref.ID}
		if h := v.parent(ref, atHand); h != nil {
			found = append(found, h.Description)
			r.Checked = true
			r.Missing = v.missing(fmt.Sprintf("the patch nor its parent %q", ref.ID), h.Description)
			r.Missing += v.missingBases(h.Description)
		}
		v.report.Parents = append(v.report.Parents, r)
	}
	if len(found) < len(d.Flotobuild.Parents) {
		return
	}
	want := Contained(d.RequiredImageIDs, found)
	if d.Flotobuild.Release != nil {
		// A merge that did not know the parents may bring more.
		has := set(d.ContainedImageIDs)
		want = slices.DeleteFunc(want, func(id digest.Digest) bool { return has[id] })
		if len(want) > 0 {
			v.problem(fmt.Errorf("containedImageIds lack %q, which a parent does not have", want[0]))
		}
		return
	}
	if !slices.Equal(d.ContainedImageIDs, want) {
		v.problem(errors.New("containedImageIds are not what is required less what the parents have"))
	}
}

// release compares the patch with the one that it says to stand for.
func (v *verification) release(atHand []*Header) {
	d := v.p.Description
	r := d.Flotobuild.Release
	if r == nil {
		return
	}
	for _, h := range atHand {
		if h.Digest == r.DescriptionDigest && (!maps.Equal(h.Description.ImageMap, d.ImageMap) || !slices.Equal(h.Description.RequiredImageIDs, d.RequiredImageIDs)) {
			v.problem(fmt.Errorf("its images are not those of patch %q, for which it stands", r.ID))
		}
	}
}

// parent finds a parent by its digest. A patch that has its id and is another
// one is a problem.
func (v *verification) parent(ref ParentRef, atHand []*Header) *Header {
	var other bool
	for _, h := range atHand {
		if h.Is(ref) {
			return h
		}
		other = other || h.Description.ID == ref.ID
	}
	if other {
		v.problem(fmt.Errorf("the patch at hand with the id of parent %q is another one: its description should have digest %s", ref.ID, ref.DescriptionDigest))
	}
	return nil
}

// missing reports the blobs that neither the patch nor parent has, and counts
// them. Cache records are in every patch.
func (v *verification) missing(where string, parent *Description) int {
	has := make(map[digest.Digest]bool)
	if parent != nil {
		for _, b := range Blobs(parent.Flotobuild.Images) {
			has[b.Digest] = true
		}
	}
	n := 0
	for _, b := range Blobs(v.p.Description.Flotobuild.Images) {
		if !has[b.Digest] && !v.brings(b.Digest) {
			n++
			v.problem(fmt.Errorf("blob %q is required and not in %s", b.Digest, where))
		}
	}
	return n
}

// contained checks that what containedImageIds names is there.
func (v *verification) contained() {
	there := make(map[digest.Digest]bool)
	for _, i := range v.p.Description.Flotobuild.Images {
		there[i.ID] = there[i.ID] || v.p.Has(i.Descriptor.Digest)
		for _, m := range i.Manifests {
			there[m.Config.Digest] = v.p.Has(m.Config.Digest)
			for _, l := range m.Layers {
				there[l.DiffID] = there[l.DiffID] || v.brings(l.Digest)
			}
		}
	}
	for _, id := range v.p.Description.ContainedImageIDs {
		if !there[id] {
			v.problem(fmt.Errorf("containedImageIds names %q, which is not in the patch", id))
		}
	}
}
