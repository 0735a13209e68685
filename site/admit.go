package site

import (
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sys/unix"

	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/sign"
)

// admit refuses what can be refused by the description alone.
func (i *importing) admit() (*sign.Verdict, error) {
	d := i.h.Description
	if d.SiteName != i.site.Name() {
		return nil, fmt.Errorf("it is for site %q, and this is the store of site %q", d.SiteName, i.site.Name())
	}
	if err := i.checkForm(); err != nil {
		return nil, err
	}
	entry, err := i.in.signature()
	if err != nil {
		return nil, err
	}
	return i.judge(entry)
}

// judge says what signatures are worth, and refuses those that do not satisfy
// the site's policy.
func (i *importing) judge(entry []byte) (*sign.Verdict, error) {
	policy, err := i.site.Policy()
	if err != nil {
		return nil, err
	}
	if i.policy = policy != nil; !i.policy {
		signatures, err := sign.Decode(entry)
		return &sign.Verdict{Signatures: len(signatures)}, err
	}
	d := i.h.Description
	return policy.Check(sign.Subject{Site: d.SiteName, Created: d.CreationDate.Time, Description: i.h.Raw()}, entry)
}

// checkForm refuses patches that a newer flotobuild made, and entries that would
// stand where the store keeps its own.
func (i *importing) checkForm() error {
	d := i.h.Description
	for _, t := range d.Flotobuild.Transport {
		if t.Kind == patch.TransportDelta {
			if err := t.Applicable(); err != nil {
				return err
			}
			continue
		}
		if t.Kind != patch.TransportFull {
			return fmt.Errorf("layer %q travels as %q, which this flotobuild does not know: take a newer flotobuild", t.DiffID, t.Kind)
		}
	}
	for _, c := range d.Flotobuild.Contents {
		if err := checkEntry(c); err != nil {
			return err
		}
		if c.Path != lang.ManifestEntry {
			continue
		}
		b, err := i.in.peek(c.Path)
		if err != nil {
			return err
		}
		if b == nil {
			continue // comes with the others
		}
		if err := checkManifest(b, d.SiteName); err != nil {
			return err
		}
	}
	return nil
}

// checkEntry refuses entries that cannot stand in a patch's folder, or are too
// large for what is read as a whole.
func checkEntry(c patch.Content) error {
	const longest = 255 // bytes of a file name
	limits := map[string]int64{lang.ManifestEntry: maxManifest, patch.IndexEntry: maxIndex}
	parts := strings.Split(c.Path, "/")
	switch limit, ok := limits[c.Path]; {
	case parts[0] == recordFile || parts[0] == blobsFile:
		return fmt.Errorf("it has entry %q, a name that sites keep for files of their own", c.Path)
	case ok && c.Size > limit:
		return fmt.Errorf("entry %q has %d bytes, and %d are the limit", c.Path, c.Size, limit)
	}
	for _, part := range parts {
		if len(part) > longest {
			return fmt.Errorf("entry %q cannot be a file: a part of its name has more than %d bytes", c.Path, longest)
		}
	}
	return nil
}

func checkManifest(b []byte, site string) error {
	m, err := lang.DecodeManifest(b)
	if err != nil {
		return err
	}
	if m.Site != site {
		return fmt.Errorf("its manifest is for site %q", m.Site)
	}
	return nil
}

// A MissingError says that a patch needs what neither it nor the site has.
type MissingError struct {
	Blobs []MissingBlob
	// Parents are the patches any of which would bring all of them, none of
	// which the site has.
	Parents []patch.ParentRef
}

// A MissingBlob is a blob that is missing.
type MissingBlob struct {
	Image  string        // the first that needs it
	Digest digest.Digest // of the blob
	DiffID digest.Digest // of a layer; empty for manifests and configs
	Size   int64         // bytes; of a base that the site never had they are not known
	// Base says that the image itself does not need the layer: one of its layers
	// comes as a delta against it.
	Base bool
}

// Error lists the blobs, as far as a message has room for them, and the
// patches.
func (e *MissingError) Error() string {
	const most = 10
	var b strings.Builder
	fmt.Fprintf(&b, "the site lacks %d of the blobs that it needs and does not bring:", len(e.Blobs))
	for n, m := range e.Blobs {
		if n == most {
			fmt.Fprintf(&b, "\n  and %d more", len(e.Blobs)-n)
			break
		}
		if m.Base {
			fmt.Fprintf(&b, "\n  layer %s, which a layer of image %q builds on", m.DiffID, m.Image)
		} else if m.DiffID != "" {
			fmt.Fprintf(&b, "\n  layer %s of image %q", m.DiffID, m.Image)
		} else {
			fmt.Fprintf(&b, "\n  %s of image %q", m.Digest, m.Image)
		}
	}
	if len(e.Parents) > 0 {
		b.WriteString("\nimport one of these patches first:")
	}
	for _, p := range e.Parents {
		fmt.Fprintf(&b, "\n  %s", p.ID)
	}
	return b.String()
}

// missing finds what neither patch nor store has.
func (i *importing) missing() error {
	var e MissingError
	for _, n := range i.sortedNeeds() {
		if !i.carried[n.Digest] && !i.stored[n.Digest] && !i.staged[n.Digest] {
			e.Blobs = append(e.Blobs, MissingBlob{Image: n.image, Digest: n.Digest, DiffID: n.DiffID, Size: n.Size})
		}
	}
	bases, err := i.missingBases()
	if err != nil {
		return err
	}
	e.Blobs = append(e.Blobs, bases...)
	if len(e.Blobs) == 0 {
		return nil
	}
	records, err := i.site.records()
	if err != nil {
		return err
	}
	for _, p := range i.h.Description.Flotobuild.Parents {
		has := false
		for _, r := range records {
			has = has || r.is(p)
		}
		if !has {
			e.Parents = append(e.Parents, p)
		}
	}
	if len(e.Parents) == 0 {
		return fmt.Errorf("the store is damaged, import the parent of the patch again: %w", &e)
	}
	return &e
}

// A SpaceError says that the disk is too full for a patch.
type SpaceError struct {
	Dir        string
	Free, Need int64 // bytes
}

// Error gives both numbers.
func (e *SpaceError) Error() string {
	return fmt.Sprintf("%q has %d bytes free, and %d are needed", e.Dir, e.Free, e.Need)
}

// Unwrap makes it an error of a full disk.
func (e *SpaceError) Unwrap() error { return unix.ENOSPC }

// fileOverhead is what a small file takes on the disk beyond its bytes, at the
// most that common file systems need.
const fileOverhead = 4 << 10

// space compares what will be written with what is free.
func (i *importing) space() error {
	need := i.scratch()
	for _, c := range i.h.Description.Flotobuild.Contents {
		d := c.Digest()
		_, wanted := i.needs[d]
		t, isDelta := i.deltas[c.Path]
		switch isBlob := patch.BlobEntry(d) == c.Path; {
		case isDelta && i.there(t.Delta.Blob):
		case isDelta:
			size := i.needs[t.Delta.Blob].Size
			need += size + fileOverhead
			i.progress.Total += size
		case !isBlob:
			need += c.Size + fileOverhead
		case wanted && !i.stored[d] && !i.staged[d]:
			need += c.Size + fileOverhead
			i.progress.Total += c.Size
		}
	}
	if free := i.site.free(); free >= 0 && free < need {
		return &SpaceError{i.site.dir, free, need}
	}
	return nil
}

// pairs compares the diff ids that the description gives layers of the store
// with those that were checked when these came.
func (i *importing) pairs() error {
	_, diffIDs, err := i.site.layers()
	if err != nil {
		return err
	}
	for _, n := range i.sortedNeeds() {
		if n.DiffID == "" || !i.stored[n.Digest] {
			continue
		}
		switch was, ok := diffIDs[n.Digest]; {
		case !ok:
			i.unverified = append(i.unverified, n)
		case was != n.DiffID:
			return fmt.Errorf("description is wrong: it gives layer %q of image %q the diff id %q, which is %q in the store", n.Digest, n.image, n.DiffID, was)
		}
	}
	return nil
}
