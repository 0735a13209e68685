package patch

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Rebase describes the same release for sites that have other parents; without
// any, as an initial patch. Everything but the parents and what follows from
// them stays: images, conf, documents, records, creation date. It depends on its
// arguments alone, so that the same release for the same parents has the same
// bytes, however it was made.
//
// Where the layers that the patch must now carry come from is for the caller.
// Deltas of the release stay deltas where every parent has what they build on;
// other layers travel whole.
func Rebase(release *Header, parents []*Header) (*Description, error) {
	b, err := newBase(release.Description.SiteName, parents)
	if err != nil {
		return nil, err
	}
	for _, p := range parents {
		b.refs = append(b.refs, p.Ref())
	}
	if len(parents) > 0 {
		b.keepDeltas([]*Header{release}, nil)
	}
	return b.rebase(release)
}

// Merge describes what the patches of a chain (see Chain) do together: the last
// release for the parents of the first. Parents of the first that are at hand
// make the result exact. Without them it is as large as the chain may need: a
// layer that the chain drops and takes up again travels although the parent may
// have it. Deltas stay deltas where the parents have what they build on.
func Merge(chain, atHand []*Header) (*Description, error) {
	first, last := chain[0], chain[len(chain)-1]
	var parents []*Header
	for _, ref := range first.Description.Flotobuild.Parents {
		if i := slices.IndexFunc(atHand, func(h *Header) bool { return h.Is(ref) }); i >= 0 {
			parents = append(parents, atHand[i])
		}
	}
	refs := first.Description.Flotobuild.Parents
	b := derivedBase(chain)
	if len(parents) == len(refs) {
		var err error
		if b, err = newBase(last.Description.SiteName, parents); err != nil {
			return nil, err
		}
	}
	d := first.Description
	if len(refs) > 0 {
		b.keepDeltas(chain, first)
	}
	b.refs, b.id, b.revision, b.name = refs, d.ParentID, d.ParentRevision, d.ParentName
	return b.rebase(last)
}

// A base is what the sites have that a patch is to apply to.
type base struct {
	refs               []ParentRef
	id, revision, name string // of the first parent
	hasID, hasBlob     func(digest.Digest) bool
	// removed lists images of the parents whose names are not among images.
	removed func(images map[string]bool) []RemovedImage
	// deltas are those that the patch may have for layers that the base lacks, by
	// blob.
	deltas map[digest.Digest]carried
}

// newBase is the base of known parents. Without any it has nothing.
func newBase(site string, parents []*Header) (*base, error) {
	all := func(of func(*Description) map[digest.Digest]bool) func(digest.Digest) bool {
		var sets []map[digest.Digest]bool
		for _, p := range parents {
			sets = append(sets, of(p.Description))
		}
		return func(d digest.Digest) bool {
			return len(sets) > 0 && !slices.ContainsFunc(sets, func(s map[digest.Digest]bool) bool { return !s[d] })
		}
	}
	b := &base{
		hasID:   all(func(d *Description) map[digest.Digest]bool { return set(d.RequiredImageIDs) }),
		hasBlob: all(blobSet),
		removed: func(images map[string]bool) []RemovedImage { return removedFrom(parents, images) },
	}
	for i, p := range parents {
		d := p.Description
		if d.SiteName != site {
			return nil, fmt.Errorf("patch %q is for site %q, and the release is for site %q", d.ID, d.SiteName, site)
		}
		if slices.ContainsFunc(parents[:i], func(q *Header) bool { return q.Ref() == p.Ref() }) {
			return nil, fmt.Errorf("parent %q stands twice", d.ID)
		}
	}
	if len(parents) > 0 {
		d := parents[0].Description
		b.id, b.revision, b.name = parents[0].Ref().ID, d.Revision, d.Name
	}
	return b, nil
}

// removedFrom lists images of patches that are not among images, each name once.
func removedFrom(patches []*Header, images map[string]bool) []RemovedImage {
	var out []RemovedImage
	seen := maps.Clone(images)
	for _, p := range patches {
		for _, i := range p.Description.Flotobuild.Images {
			if !seen[i.Name] {
				seen[i.Name] = true
				out = append(out, RemovedImage{Name: i.Name, ID: i.ID})
			}
		}
	}
	return out
}

func blobSet(d *Description) map[digest.Digest]bool {
	out := make(map[digest.Digest]bool)
	for _, b := range Blobs(d.Flotobuild.Images) {
		out[b.Digest] = true
	}
	return out
}

// derivedBase is what a chain says of its parents: they have what the first
// patch needs and does not bring.
func derivedBase(chain []*Header) *base {
	d := chain[0].Description
	ids, blobs := set(d.RequiredImageIDs), blobSet(d)
	for _, id := range d.ContainedImageIDs {
		delete(ids, id)
	}
	for _, c := range d.Flotobuild.Contents {
		if b, ok := entryBlob(c.Path); ok {
			delete(blobs, b)
		}
	}
	for b := range d.Deltas() {
		delete(blobs, b)
	}
	return &base{
		hasID:   func(d digest.Digest) bool { return ids[d] },
		hasBlob: func(d digest.Digest) bool { return blobs[d] },
		removed: func(images map[string]bool) []RemovedImage { return removedIn(chain, images) },
	}
}

// removedIn lists what the patches of a chain removed, less what the chain
// itself had brought.
func removedIn(chain []*Header, images map[string]bool) []RemovedImage {
	brought, seen := make(map[digest.Digest]bool), make(map[string]bool)
	var out []RemovedImage
	for _, h := range chain {
		for _, r := range h.Description.Flotobuild.RemovedImages {
			if !images[r.Name] && !brought[r.ID] && !seen[r.Name] {
				seen[r.Name] = true
				out = append(out, r)
			}
		}
		for _, id := range h.Description.ContainedImageIDs {
			brought[id] = true
		}
	}
	slices.SortFunc(out, func(a, b RemovedImage) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// rebase describes the release on top of the base.
func (b *base) rebase(release *Header) (*Description, error) {
	old := release.Description
	if slices.Equal(old.Flotobuild.Parents, b.refs) {
		return nil, errors.New("the patch is made for these parents already")
	}
	ref := release.Ref()
	_, parent := old.Rendered()
	if slices.ContainsFunc(b.refs, release.Is) {
		return nil, fmt.Errorf("patch %q brings the release that the parent has already", old.ID)
	}
	d := *old
	d.ID = rebasedID(old, b.refs)
	d.ParentID, d.ParentRevision, d.ParentName = b.id, b.revision, b.name
	d.Flotobuild.Parents, d.Flotobuild.Release = slices.Clone(b.refs), &Release{ref.ID, ref.DescriptionDigest, parent}
	names := make(map[string]bool)
	for _, i := range old.Flotobuild.Images {
		names[i.Name] = true
	}
	d.Flotobuild.RemovedImages = b.removed(names)
	d.ContainedImageIDs = []digest.Digest{}
	for _, id := range old.RequiredImageIDs {
		if !b.hasID(id) {
			d.ContainedImageIDs = append(d.ContainedImageIDs, id)
		}
	}
	b.setContents(&d)
	return &d, nil
}

// setContents lists the entries: those of the release, and the blobs that the
// base lacks.
func (b *base) setContents(d *Description) {
	var out []Content
	made := d.generated()
	for _, c := range d.Flotobuild.Contents {
		if made[c.Path] == nil && !strings.HasPrefix(c.Path, BlobsDir) && !strings.HasPrefix(c.Path, DeltasDir) {
			out = append(out, c)
		}
	}
	layers := make(map[digest.Digest]digest.Digest) // blob → diff id
	for _, i := range d.Flotobuild.Images {
		for _, m := range i.Manifests {
			for _, l := range m.Layers {
				layers[l.Digest] = l.DiffID
			}
		}
	}
	d.Flotobuild.Transport = nil
	for _, c := range b.lacking(d) {
		if k, ok := b.deltas[c.Digest]; ok {
			out = append(out, k.content)
			d.Flotobuild.Transport = append(d.Flotobuild.Transport, k.transport)
			continue
		}
		out = append(out, NewBlobContent(c.Digest, c.Size))
		if id, ok := layers[c.Digest]; ok {
			d.Flotobuild.Transport = append(d.Flotobuild.Transport, LayerTransport{DiffID: id, Kind: TransportFull})
		}
	}
	d.SetContents(out)
}

// lacking gives the blobs that must travel, sorted by digest: the records, and
// what the base has not.
func (b *base) lacking(d *Description) []ocispec.Descriptor {
	out := slices.DeleteFunc(Blobs(d.Flotobuild.Images), func(c ocispec.Descriptor) bool { return b.hasBlob(c.Digest) })
	out = append(out, d.Records()...)
	slices.SortFunc(out, func(a, b ocispec.Descriptor) int { return strings.Compare(string(a.Digest), string(b.Digest)) })
	return slices.CompactFunc(out, func(a, b ocispec.Descriptor) bool { return a.Digest == b.Digest })
}

// idDigits is how much of a digest stands in an id.
const idDigits = 12

// rebasedID makes the id of a release for other parents than its own patch has:
// "-full" or "-from-" and a digest of the parents stand behind the revision.
func rebasedID(d *Description, parents []ParentRef) string {
	suffix := "-full"
	if len(parents) > 0 {
		of := parents[0].DescriptionDigest
		if len(parents) > 1 {
			var all strings.Builder
			for _, p := range parents {
				all.WriteString(p.DescriptionDigest.Encoded() + "\n")
			}
			of = digest.FromString(all.String())
		}
		suffix = "-from-" + of.Encoded()[:idDigits]
	}
	return NewID(d.CreationDate.Time, d.Revision+suffix, d.SiteName)
}
