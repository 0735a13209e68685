package site

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
)

// GCOptions say what a collection keeps.
type GCOptions struct {
	// Keep is how many of the newest patches stay, besides the active one and
	// the patch before it.
	Keep int
	// InUse gives the ids of further patches that stay, such as those that hosts
	// still run. It is called when nobody else changes the site; nil is for none.
	InUse  func() ([]string, error)
	DryRun bool   // says what would go, and leaves it
	By     string // who does it, for the history
}

// Collected says what a collection removed.
type Collected struct {
	Patches []string `json:"patches"` // ids, the oldest first
	Blobs   int      `json:"blobs"`
	Staging int      `json:"staging"` // interrupted imports
	Bytes   int64    `json:"bytes"`   // of blobs and interrupted imports
}

// GC removes the patches that are not to be kept, all blobs that no patch and no
// running import needs, and what interrupted imports left. It works on a disk
// without a free byte: what it has to write comes after what it removes. The
// active patch, the one before it and those in use always stay.
func (s *Site) GC(ctx context.Context, o GCOptions) (*Collected, error) {
	c, err := s.collect(ctx, o)
	if err != nil {
		return c, fmt.Errorf("cannot collect garbage: %w", err)
	}
	return c, nil
}

func (s *Site) collect(ctx context.Context, o GCOptions) (_ *Collected, err error) {
	if o.Keep < 0 {
		return nil, fmt.Errorf("%d patches cannot be kept", o.Keep)
	}
	l, err := s.lock(ctx, "gc", lockWait)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.unlock()) }()
	c := &collection{site: s, o: o, out: Collected{Patches: []string{}}}
	if err := s.recover(); err != nil && !o.DryRun {
		c.late = true // the disk may be too full for that; at the end it is not
	}
	return &c.out, c.run(ctx)
}

// A collection is one run of GC.
type collection struct {
	site *Site
	o    GCOptions
	out  Collected
	kept map[digest.Digest]bool
	late bool // something is to be written when there is space
}

func (c *collection) run(ctx context.Context) error {
	gone, kept, err := c.choose(ctx)
	if err != nil {
		return err
	}
	if err := c.reference(kept); err != nil {
		return err
	}
	if err := c.staging(); err != nil {
		return err
	}
	if err := c.unlist(gone); err != nil {
		return err
	}
	if err := c.blobs(ctx); err != nil {
		return err
	}
	if c.o.DryRun {
		return nil
	}
	if c.late {
		if err := c.site.repairIndex(ctx); err != nil {
			return err
		}
	}
	if err := c.site.recover(); err != nil { // removes the folders
		return err
	}
	if c.out.Blobs == 0 && c.out.Staging == 0 && len(gone) == 0 {
		return nil
	}
	return c.site.record(Event{Time: orNow(time.Time{}), Action: ActionGC, By: c.o.By, Detail: c.detail()})
}

func (c *collection) detail() string {
	return fmt.Sprintf("%d patches, %d blobs, %d bytes: %s", len(c.out.Patches), c.out.Blobs, c.out.Bytes, strings.Join(c.out.Patches, ", "))
}

// choose says which patches go, the oldest first, and which stay.
func (c *collection) choose(ctx context.Context) (gone, kept []string, err error) {
	all, err := c.site.list(ctx)
	if err != nil {
		return nil, nil, err
	}
	var used []string
	if c.o.InUse != nil {
		if used, err = c.o.InUse(); err != nil {
			return nil, nil, err
		}
	}
	for n, e := range all {
		if n < c.o.Keep || e.Active || e.Rollback || slices.Contains(used, e.ID) {
			kept = append(kept, e.ID)
		} else {
			gone = append(gone, e.ID)
		}
	}
	slices.Reverse(gone)
	c.out.Patches = append(c.out.Patches, gone...)
	return gone, kept, nil
}

// reference notes the blobs of the patches that stay.
func (c *collection) reference(kept []string) error {
	c.kept = make(map[digest.Digest]bool)
	for _, id := range kept {
		all, err := c.site.readNeeds(id)
		if err != nil {
			return err
		}
		for _, n := range all {
			c.kept[n.Digest] = true
		}
	}
	return nil
}

// staging notes what running imports rely on, and removes what others left.
func (c *collection) staging() error {
	entries, err := os.ReadDir(c.site.path(stagingDir))
	if err != nil {
		return err
	}
	for _, e := range entries {
		dir := c.site.path(stagingDir, e.Name())
		lock, err := lockStaging(dir, false)
		switch {
		case errors.Is(err, ErrImporting):
			err = c.rely(dir)
		case errors.Is(err, fs.ErrNotExist):
			err = nil // ended meanwhile
		case err == nil:
			err = c.removeStaging(&staging{dir: dir, lock: lock})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// rely notes what a running import needs. Its description is there before it
// lets go of the lock for the first time.
func (c *collection) rely(dir string) error {
	h, err := readHeader((&staging{dir: dir}).path(stagedPatch))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it is being removed, or has just been published
	}
	if err != nil {
		return err
	}
	all, err := needs(h.Description)
	for _, n := range all {
		c.kept[n.Digest] = true
	}
	if err != nil {
		return err
	}
	bases, err := (&staging{dir: dir}).bases()
	for _, d := range bases {
		c.kept[d] = true
	}
	return err
}

func (c *collection) removeStaging(g *staging) error {
	c.out.Staging++
	c.out.Bytes += g.bytes()
	if c.o.DryRun {
		return g.close()
	}
	return g.remove()
}

// bytes counts what the files of the folder hold.
func (g *staging) bytes() int64 {
	var sum int64
	_ = fs.WalkDir(os.DirFS(g.dir), ".", func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if st, err := e.Info(); err == nil && st.Mode().IsRegular() {
			sum += st.Size()
		}
		return nil
	})
	return sum
}

// unlist takes patches off the list, and off the index if there is space for
// that. Their blobs go only when that is on the disk.
func (c *collection) unlist(gone []string) error {
	if c.o.DryRun || len(gone) == 0 {
		return nil
	}
	if err := c.site.unlist(gone); err != nil {
		return err
	}
	if err := c.site.rebuildIndex(context.Background()); err != nil {
		c.late = true
	}
	return nil
}

// unlist removes the records of patches. All go before any of their folders is
// synced: the first sync then writes what file systems gather of all of them, and
// the others find nothing left to do.
func (s *Site) unlist(ids []string) error {
	for _, id := range ids {
		name, err := s.patchPath(id, recordFile)
		if err == nil {
			err = os.Remove(name)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	for _, id := range ids {
		if err := syncDir(s.path(patchesDir, id)); err != nil {
			return err
		}
	}
	return nil
}

// blobs removes those that nobody needs, and those that were set aside as
// damaged.
func (c *collection) blobs(ctx context.Context) error {
	dir := c.site.path("blobs", "sha256")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if c.kept[digest.NewDigestFromEncoded(digest.SHA256, e.Name())] {
			continue
		}
		st, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		c.out.Blobs++
		c.out.Bytes += st.Size()
		if c.o.DryRun {
			continue
		}
		if err := os.Remove(c.site.path("blobs", "sha256", e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
