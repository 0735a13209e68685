package site

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/internal/regular"
	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/sign"
)

// A checkedPatch is a patch whose files are compared with its description.
type checkedPatch struct {
	*checkup
	id     string
	record *Record       // nil where it is damaged
	header *patch.Header // nil where it is damaged, as wrong says
	wrong  error
	known  map[string]bool
}

// open reads record and description of a patch, and notes what is to be read.
func (c *checkup) open(id string) error {
	p := &checkedPatch{checkup: c, id: id, known: make(map[string]bool)}
	dir, err := c.site.patchPath(id)
	if err != nil {
		return err
	}
	c.patches = append(c.patches, p)
	p.record, _ = c.site.readRecord(id) // whose error comes when it is checked
	all := p.readDescription(dir)
	for _, n := range all {
		if c.blobs[n.Digest] == nil {
			c.blobs[n.Digest] = &Damage{Digest: n.Digest, Size: n.Size}
			c.total += n.Size
		}
		c.blobs[n.Digest].Patches = append(c.blobs[n.Digest].Patches, id)
	}
	for _, e := range p.contents() {
		c.total += e.Size
	}
	return nil
}

// readDescription reads the description, and gives the blobs that the patch needs:
// where it is damaged, those that blobs.txt has.
func (p *checkedPatch) readDescription(dir string) []need {
	h, err := readHeader(dir)
	var all []need
	switch {
	case err != nil:
	case p.record != nil && p.record.DescriptionDigest != h.Digest:
		err = fmt.Errorf("it should have digest %q, and has %q", p.record.DescriptionDigest, h.Digest)
	case h.Description.ID != p.id:
		err = fmt.Errorf("it is of patch %q", h.Description.ID)
	default:
		all, err = needs(h.Description)
	}
	if err != nil {
		p.wrong = err
		all, _ = p.site.readNeeds(p.id) // whose error comes when it is checked
		return all
	}
	p.header = h
	return all
}

// contents are the entries that the patch's folder has: what is below images/ is
// in the store, or was needed by the import only.
func (p *checkedPatch) contents() []patch.Content {
	if p.header == nil {
		return nil
	}
	var out []patch.Content
	for _, e := range p.header.Description.Flotobuild.Contents {
		kept := e.Path == patch.LayoutEntry || e.Path == patch.IndexEntry || !strings.HasPrefix(e.Path, "images/")
		if kept && e.Path != patch.VersionEntry {
			out = append(out, e)
		}
	}
	return out
}

// check reads all files of the patch.
func (p *checkedPatch) check(ctx context.Context) error {
	dir, err := p.site.patchPath(p.id)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // removed meanwhile
	}
	if err != nil {
		return err
	}
	defer root.Close()
	for _, f := range []struct {
		name string
		err  error
	}{
		{recordFile, p.checkRecord()},
		{patch.DescriptionEntry, p.wrong},
		{blobsFile, p.checkNeeds(ctx, root)},
		{patch.VersionEntry, checkContent(ctx, root, patch.NewContent(patch.VersionEntry, []byte(patch.VersionText)))},
		{patch.SignatureEntry, p.checkSignatures(dir)},
	} {
		if err := p.note(ctx, patch.Content{Path: f.name}, f.err); err != nil {
			return err
		}
	}
	if p.header == nil {
		return nil // nothing says what else there should be
	}
	for _, e := range p.contents() {
		if err := p.note(ctx, e, checkContent(ctx, root, e)); err != nil {
			return err
		}
	}
	return p.strays(ctx, root)
}

// note takes down what came of reading a file.
func (p *checkedPatch) note(ctx context.Context, e patch.Content, err error) error {
	p.known[e.Path] = true
	p.out.Files++
	name := path.Join(patchesDir, p.id, e.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = fmt.Errorf("%q is missing: %w", name, fs.ErrNotExist)
	case err != nil:
		err = fmt.Errorf("%q is damaged: %w", name, err)
	}
	return p.checkup.note(ctx, Damage{File: name, Size: e.Size, Patches: []string{p.id}}, err)
}

// errDiffers means that a file is not what the description of its patch lists.
var errDiffers = errors.New("it is not what the patch's description says")

// checkRecord compares what the record has of the description.
func (p *checkedPatch) checkRecord() error {
	if p.record == nil {
		_, err := p.site.readRecord(p.id)
		if missing := (*MissingPatchError)(nil); errors.As(err, &missing) {
			return fs.ErrNotExist
		}
		return err
	}
	if p.header == nil {
		return nil
	}
	want := newRecord(p.header)
	r := p.record
	got := &Record{
		FormatVersion: r.FormatVersion, ID: r.ID, DescriptionDigest: want.DescriptionDigest, // which speaks for the description
		Name: r.Name, Version: r.Version, Revision: r.Revision, Comment: r.Comment, Created: r.Created,
		Parents: r.Parents, Release: r.Release, Images: r.Images,
	}
	a, err := encode(want)
	if err != nil {
		return err
	}
	b, err := encode(got)
	if err == nil && !bytes.Equal(a, b) {
		err = errDiffers
	}
	return err
}

func (p *checkedPatch) checkNeeds(ctx context.Context, root *os.Root) error {
	if p.header == nil {
		_, err := p.site.readNeeds(p.id)
		return err
	}
	all, err := needs(p.header.Description)
	if err != nil {
		return err
	}
	return checkContent(ctx, root, patch.NewContent(blobsFile, encodeNeeds(all)))
}

// checkSignatures holds that keys which the record trusts have signed, as far as
// the policy of now has them.
func (p *checkedPatch) checkSignatures(dir string) error {
	entry, err := readFile(filepath.Join(dir, patch.SignatureEntry), maxSignatures)
	if p.record == nil || p.header == nil || p.record.Verified.Signatures == nil {
		return nil // there is nothing to compare with
	}
	was := p.record.Verified.Signatures
	if errors.Is(err, fs.ErrNotExist) && was.Signatures == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	signatures, err := sign.Decode(entry)
	if err != nil {
		return err
	}
	if len(signatures) < was.Signatures {
		return fmt.Errorf("it has %d signatures, and had %d", len(signatures), was.Signatures)
	}
	policy, err := p.site.Policy()
	if err != nil || policy == nil {
		return err
	}
	d := p.header.Description
	now, _ := policy.Check(sign.Subject{Site: d.SiteName, Created: d.CreationDate.Time, Description: p.header.Raw()}, entry) // a policy may have become stricter
	for _, k := range was.Trusted {
		for _, l := range now.Lacking {
			if k.Fingerprint == l.Fingerprint {
				return fmt.Errorf("the signature of %s is there no more", k)
			}
		}
	}
	return nil
}

// checkContent compares a file of the patch's folder with the description. Of a
// symbolic link the target counts.
func checkContent(ctx context.Context, root *os.Root, c patch.Content) error {
	if c.Mode == patch.ModeSymlink {
		target, err := root.Readlink(c.Path)
		if sum := sha256.Sum256([]byte(target)); err == nil && hex.EncodeToString(sum[:]) != c.SHA256 {
			err = errDiffers
		}
		return err
	}
	f, info, err := regular.OpenIn(root, c.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	if info.Size() != c.Size {
		return fmt.Errorf("it should have %d bytes, and has %d", c.Size, info.Size())
	}
	_, err = verify.Copy(ctx, io.Discard, verify.NewReader(f, "content", c.Size, digest.NewDigestFromEncoded(digest.SHA256, c.SHA256)))
	return err
}

// strays finds files that the patch does not have: a compilation at the site
// would see them.
func (p *checkedPatch) strays(ctx context.Context, root *os.Root) error {
	return fs.WalkDir(root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed meanwhile
		}
		if err != nil || e.IsDir() || p.known[name] || temporary(path.Base(name)) {
			return err
		}
		return p.note(ctx, patch.Content{Path: name}, errors.New("the patch has no such file"))
	})
}
