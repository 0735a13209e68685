package site

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/patch"
)

func (i *importing) sortedNeeds() []need {
	return slices.SortedFunc(maps.Values(i.needs), func(a, b need) int { return strings.Compare(string(a.Digest), string(b.Digest)) })
}

// begin takes over the staging folder, and finds out what there is to copy. From
// here on nobody collects what the import relies on. It gives the record of the
// patch where the site has it by now.
func (i *importing) begin(ctx context.Context) (_ *Record, err error) {
	unlock, err := i.site.Lock(ctx, "import of "+i.h.Description.ID)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	known, err := i.known()
	if err != nil || known != nil && !i.repair {
		return known, err
	}
	if i.staging, err = i.site.openStaging(i.h.Digest); err != nil {
		return nil, err
	}
	if err := i.survey(ctx); err != nil {
		return nil, i.abandon(ctx, err)
	}
	return known, nil
}

// survey finds what is there, refuses what cannot be imported, and notes for
// others what the import relies on.
func (i *importing) survey(ctx context.Context) error {
	all, err := needs(i.h.Description)
	if err != nil {
		return err
	}
	i.needs = make(map[digest.Digest]need, len(all))
	i.carried, i.stored = make(map[digest.Digest]bool), make(map[digest.Digest]bool)
	for _, c := range i.h.Description.Flotobuild.Contents {
		if d := c.Digest(); c.Path == patch.BlobEntry(d) {
			i.carried[d] = true
		}
	}
	if err := i.findDeltas(); err != nil {
		return err
	}
	for _, n := range all {
		i.needs[n.Digest] = n
		if i.stored[n.Digest], err = i.site.blobs.Has(n.Digest, n.Size); err != nil {
			return err
		}
	}
	if i.staged, err = i.staging.keep(ctx, i.needs); err != nil {
		return err
	}
	for d := range i.staged {
		i.resumed += i.needs[d].Size
	}
	for _, check := range []func() error{i.missing, i.space, i.pairs} {
		if err := check(); err != nil {
			return err
		}
	}
	if err := i.relyOnBases(); err != nil {
		return err
	}
	if err := i.staging.put(patch.VersionEntry, []byte(patch.VersionText)); err != nil {
		return err
	}
	return i.staging.put(patch.DescriptionEntry, i.h.Raw())
}

// copy reads the source. Layers are decompressed and compared with their diff
// ids while the next ones come in.
func (i *importing) copy(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, i.closeBases()) }()
	i.report(PhaseCopy)
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, n := range i.unverified {
		group.Go(func() error { return i.site.checkStored(gctx, n) })
	}
	err = i.in.walk(gctx, func(c patch.Content, open func() (io.Reader, error)) error {
		return i.entry(gctx, c, open, group)
	})
	if bad := group.Wait(); bad != nil {
		return bad // which has ended the reading
	}
	if err != nil {
		return err
	}
	i.record.Verified.Layers += len(i.unverified)
	i.record.Size = i.in.size()
	return i.putSignature()
}

func (i *importing) putSignature() error {
	entry, err := i.in.signature()
	if err != nil || entry == nil {
		return err
	}
	return i.staging.put(patch.SignatureEntry, entry)
}

func (i *importing) entry(ctx context.Context, c patch.Content, open func() (io.Reader, error), group *errgroup.Group) error {
	d := c.Digest()
	if c.Path == patch.VersionEntry {
		return nil
	}
	isBlob := c.Path == patch.BlobEntry(d)
	n, wanted := i.needs[d]
	t, isDelta := i.deltas[c.Path]
	if isBlob && wanted && i.there(d) || isDelta && i.there(t.Delta.Blob) {
		i.record.Verified.Known++
		return nil
	}
	r, err := open()
	if err != nil {
		return err
	}
	i.record.Verified.Entries++
	i.record.Verified.Bytes += c.Size
	switch {
	case isDelta:
		return i.delta(ctx, t, r, group)
	case !isBlob:
		return i.small(ctx, c, r)
	case !wanted: // records, which sites do not need
		_, err := verify.Copy(ctx, io.Discard, r)
		return err
	}
	return i.blob(ctx, n, r, group)
}

func (i *importing) blob(ctx context.Context, n need, r io.Reader, group *errgroup.Group) error {
	if err := i.staging.write(ctx, n, i.counted(r)); err != nil {
		return err
	}
	i.staged[n.Digest] = true
	i.record.Added += n.Size
	if n.DiffID != "" {
		i.record.Verified.Layers++
	}
	group.Go(func() error { return i.staging.settle(ctx, n) })
	return nil
}

// small writes an entry that is no blob. The manifest is checked where it could
// not be read ahead.
func (i *importing) small(ctx context.Context, c patch.Content, r io.Reader) error {
	if err := i.staging.entry(ctx, c, r); err != nil {
		return err
	}
	if c.Path != lang.ManifestEntry {
		return nil
	}
	b, err := i.staging.root.ReadFile(c.Path)
	if err != nil {
		return err
	}
	return checkManifest(b, i.site.Name())
}

// counted tells of what is read.
func (i *importing) counted(r io.Reader) io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		n, err := r.Read(p)
		i.progress.Done += int64(n)
		i.report(PhaseCopy)
		return n, err
	})
}

type readerFunc func(p []byte) (int, error)

// Read implements io.Reader.
func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// checkImages compares manifests, configs and the index with the description.
func (i *importing) checkImages(ctx context.Context) error {
	images := i.h.Description.Flotobuild.Images
	index, err := i.staging.root.ReadFile(patch.IndexEntry)
	if err != nil {
		return err
	}
	err = patch.CheckIndex(index, images)
	if err == nil {
		err = patch.CheckImages(ctx, stagedSource{i}, images)
	}
	if err != nil {
		return fmt.Errorf("the patch is not what it says: %w", err)
	}
	return nil
}
