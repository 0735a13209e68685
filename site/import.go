package site

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/layers"
	"github.com/flotobuild/flotobuild/patch/sign"
)

// ImportOptions describe an import.
type ImportOptions struct {
	By  string    // who does it, for record and history
	Now time.Time // zero means the time of the call
	// Progress is told what has been done; nil is for those who do not care. It
	// is called from one goroutine at a time, often, and must be quick.
	Progress func(Progress)
}

// A Progress says how far an import is.
type Progress struct {
	Patch string // id
	Phase Phase
	Done  int64 // bytes of the blobs that are copied
	Total int64
}

// A Phase is a part of an import.
type Phase string

// The phases of an import, in their order.
const (
	PhaseCheck   Phase = "check"   // nothing is written yet
	PhaseCopy    Phase = "copy"    // blobs come in, and are checked
	PhaseWait    Phase = "wait"    // for others that change the site
	PhasePublish Phase = "publish" // the patch appears
)

// Imported is the outcome of an import.
type Imported struct {
	Record Record
	// Known says that the site had the patch already, and nothing was written but
	// signatures.
	Known bool
	// Signed says that the site had the patch, and took signatures from this copy
	// that it did not have.
	Signed bool
	// Repaired says that the site had the patch, and blobs of it were missing.
	Repaired bool
	// Resumed counts the bytes that an earlier import of the patch had copied.
	Resumed int64
}

// Import takes a patch into the store. The source is read once, and nothing
// that is not checked becomes visible: structure, signatures against the
// site's policy, size and digest of everything, and the diff id of every layer.
// What can be refused is refused before anything is written: a patch of another
// site, one that needs layers which neither it nor the store has (a
// *MissingError), one for which there is no space.
//
// An import that was interrupted is gone on with by importing the patch again:
// whole blobs are not copied twice. Damage removes what was copied. The patch
// is not activated.
func (s *Site) Import(ctx context.Context, src Source, o ImportOptions) (*Imported, error) {
	in, err := openInput(src)
	if err != nil {
		return nil, err
	}
	out, err := s.importFrom(ctx, in, src.name(), o)
	if err = errors.Join(err, in.Close()); err != nil {
		return nil, fmt.Errorf("cannot import patch %q: %w", in.header().Description.ID, err)
	}
	return out, nil
}

func (s *Site) importFrom(ctx context.Context, in input, source string, o ImportOptions) (*Imported, error) {
	i := &importing{site: s, in: in, h: in.header(), o: o, source: source}
	i.report(PhaseCheck)
	verdict, err := i.admit()
	if err != nil {
		return nil, err
	}
	known, err := i.settled(ctx)
	if err != nil {
		return nil, err
	}
	if known == nil || i.repair {
		if known, err = i.begin(ctx); err != nil {
			return nil, err
		}
	}
	if known != nil && !i.repair {
		r, signed, err := i.again(ctx)
		if err != nil {
			return nil, err
		}
		return &Imported{Record: *r, Known: true, Signed: signed}, nil
	}
	if err := i.run(ctx, verdict); err != nil {
		return nil, i.abandon(ctx, err)
	}
	if i.repair {
		r, signed, err := i.again(ctx)
		if err != nil {
			return nil, err
		}
		return &Imported{Record: *r, Repaired: true, Signed: signed, Resumed: i.resumed}, nil
	}
	return &Imported{Record: *i.record, Resumed: i.resumed}, nil
}

// importing is one import.
type importing struct {
	site   *Site
	in     input
	h      *patch.Header
	o      ImportOptions
	source string

	needs   map[digest.Digest]need
	carried map[digest.Digest]bool               // in the patch
	stored  map[digest.Digest]bool               // in the store when the import began
	staged  map[digest.Digest]bool               // by this import, or an earlier one
	deltas  map[string]patch.LayerTransport      // by entry
	layers  map[digest.Digest]ocispec.Descriptor // of the store, by diff id; for deltas
	bases   *layers.Source                       // for deltas; nil until it is needed
	staging *staging
	repair  bool // the patch is listed, and lacks blobs
	policy  bool // signatures were checked against one

	record     *Record
	resumed    int64
	progress   Progress
	unverified []need // layers of the store whose diff ids no patch tells
}

func (i *importing) report(p Phase) {
	i.progress.Patch, i.progress.Phase = i.h.Description.ID, p
	if i.o.Progress != nil {
		i.o.Progress(i.progress)
	}
}

// run copies, checks and publishes.
func (i *importing) run(ctx context.Context, verdict *sign.Verdict) error {
	i.record = newRecord(i.h)
	i.record.Imported, i.record.By, i.record.Source = orNow(i.o.Now), i.o.By, i.source
	i.record.Verified = Verification{Policy: i.policy, Signatures: verdict, Encrypted: i.in.recipients()}
	if err := i.copy(ctx); err != nil {
		return err
	}
	if err := i.checkImages(ctx); err != nil {
		return err
	}
	return i.publish(ctx)
}

// known gives the record of the patch where the site has it; nil where it does
// not. What the store has lost of the patch's blobs is to be imported again.
func (i *importing) known() (*Record, error) {
	i.repair = false
	r, err := i.site.readRecord(i.h.Description.ID)
	if missing := (*MissingPatchError)(nil); errors.As(err, &missing) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if r.DescriptionDigest != i.h.Digest {
		return nil, fmt.Errorf("the site has another patch of this id, whose description has digest %q and not %q", r.DescriptionDigest, i.h.Digest)
	}
	all, err := needs(i.h.Description)
	if err != nil {
		return nil, err
	}
	lacking, err := i.site.lacking(all)
	i.repair = len(lacking) > 0
	return r, err
}

// settled is known without the lock. Only where an import of the patch was
// killed in its last steps is the lock taken, to clean up.
func (i *importing) settled(ctx context.Context) (_ *Record, err error) {
	known, err := i.known()
	if err != nil || known == nil || i.repair {
		return known, err
	}
	dir := i.site.path(stagingDir, i.h.Digest.Encoded())
	_, journal := os.Lstat(i.site.path(journalFile))
	_, staged := os.Lstat(dir)
	if journal != nil && staged != nil {
		return known, nil
	}
	unlock, err := i.site.Lock(ctx, "import of "+known.ID)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	lock, err := lockStaging(dir, false)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrImporting):
		return known, nil
	case err != nil:
		return nil, err
	}
	return known, (&staging{dir: dir, lock: lock}).remove()
}

// abandon ends an import that failed. What it has copied stays for another one
// when the failure was none of the patch: an interrupt, a full disk, a medium
// that was taken out, a parent that was collected meanwhile. A refusal leaves
// nothing where there was nothing.
func (i *importing) abandon(ctx context.Context, err error) error {
	errno, missing, space := syscall.Errno(0), (*MissingError)(nil), (*SpaceError)(nil)
	keep := errors.As(err, &errno)
	if errors.As(err, &missing) || errors.As(err, &space) {
		keep = len(i.staged) > 0
	}
	if ctx.Err() != nil || keep {
		return errors.Join(err, i.staging.close())
	}
	return errors.Join(err, i.staging.remove())
}
