package site

import (
	"context"
	"fmt"
	"os"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/store"
)

// stagedSource gives the blobs of an import: the staged ones, and those of the
// store.
type stagedSource struct{ i *importing }

type stagedBlob struct {
	*os.File
	size int64
}

// Size implements store.Blob.
func (b stagedBlob) Size() int64 { return b.size }

// Blob implements store.Source.
func (s stagedSource) Blob(ctx context.Context, d digest.Digest) (store.Blob, error) {
	if !s.i.staged[d] {
		return s.i.site.blobs.Blob(ctx, d)
	}
	f, err := os.Open(s.i.staging.blobPath(d))
	if err != nil {
		return nil, err
	}
	return stagedBlob{f, s.i.needs[d].Size}, nil
}

// publish makes the patch visible. Everything is on the disk before that.
func (i *importing) publish(ctx context.Context) error {
	s, r := i.site, i.record
	for _, n := range i.needs {
		r.Required += n.Size
	}
	r.Added += i.resumed
	b, err := encode(r)
	if err != nil {
		return err
	}
	if len(b) > maxRecord {
		return fmt.Errorf("name, comment and parents have %d bytes, and %d are the limit", len(b), maxRecord)
	}
	if err := i.staging.put(recordFile, b); err != nil {
		return err
	}
	if err := i.staging.put(blobsFile, encodeNeeds(i.sortedNeeds())); err != nil {
		return err
	}
	if err := i.staging.sync(ctx); err != nil {
		return err
	}
	i.report(PhaseWait)
	l, err := s.lock(ctx, "import of "+r.ID, 0)
	if err != nil {
		return err
	}
	if err = s.recover(); err == nil {
		i.report(PhasePublish)
		err = i.appear(ctx)
	}
	if e := l.unlock(); err == nil {
		err = e
	}
	return err
}

// appear moves everything into the store. The caller holds the lock.
func (i *importing) appear(ctx context.Context) error {
	if err := i.stillThere(); err != nil {
		return err
	}
	known, err := i.known()
	if err != nil {
		return err
	}
	// A patch whose blobs were to be repaired may have been collected meanwhile.
	i.repair = known != nil
	s, id := i.site, i.record.ID
	e := Event{Time: i.record.Imported, Action: ActionImport, By: i.record.By, Patch: id}
	if i.repair {
		e.Action, e.Detail, id = ActionRepair, "blobs that the store had lost", ""
	}
	err = s.commit(e, func() error {
		if err := i.staging.publish(s, id); err != nil {
			return err
		}
		return s.rebuildIndex(ctx)
	})
	if err != nil {
		return err
	}
	return i.staging.remove()
}

// stillThere checks that the store has kept what the import relies on.
func (i *importing) stillThere() error {
	var rely []need
	for _, n := range i.needs {
		if !i.staged[n.Digest] {
			rely = append(rely, n)
		}
	}
	missing, err := i.site.lacking(rely)
	if err != nil || len(missing) == 0 {
		return err
	}
	n := missing[0]
	return &DamagedError{Patch: i.record.ID, Missing: len(missing), First: n.Digest, Image: n.image}
}
