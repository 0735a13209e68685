package site

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
)

// A Damage is a blob, or a file of a patch, that is missing or was damaged on the
// disk.
type Damage struct {
	Digest digest.Digest `json:"digest,omitempty"` // of a blob
	File   string        `json:"file,omitempty"`   // what is no blob: its path in the store
	Size   int64         `json:"size"`             // bytes that it should have; 0 where nothing says so
	Error  string        `json:"error"`            // what is wrong
	// Patches are the ids of those that need it.
	Patches []string `json:"patches"`
}

// CheckOptions say what to check.
type CheckOptions struct {
	// Patches are ids; none means all. The error for one that the site does not
	// have is a *MissingPatchError.
	Patches []string
	// Progress, which may be nil, is told how many bytes are checked, and how many
	// there are.
	Progress func(done, total int64)
}

// Checked says what was read.
type Checked struct {
	Patches, Blobs, Files int
	Bytes                 int64 // of blobs and files
	Damage                []Damage
}

// Check reads every blob that patches need, and every file that they hold
// besides: description, record, signatures, manifest, documents, conf. All is
// compared with what the patches say. Damaged blobs are set aside, so that
// importing one of their patches again mends the store. For damaged files the
// patch's folder must be removed before that; they are left as they are.
func (s *Site) Check(ctx context.Context, o CheckOptions) (*Checked, error) {
	c := &checkup{site: s, o: o, blobs: make(map[digest.Digest]*Damage), out: Checked{Damage: []Damage{}}}
	if err := c.run(ctx); err != nil {
		return nil, fmt.Errorf("cannot check the store of site %q: %w", s.Name(), err)
	}
	return &c.out, nil
}

// A checkup is one run of Check.
type checkup struct {
	site    *Site
	o       CheckOptions
	out     Checked
	patches []*checkedPatch
	blobs   map[digest.Digest]*Damage // without an error as yet
	total   int64
}

func (c *checkup) run(ctx context.Context) error {
	ids, err := c.ids()
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := c.open(id); err != nil {
			return err
		}
	}
	for _, d := range slices.Sorted(maps.Keys(c.blobs)) {
		if err := c.blob(ctx, *c.blobs[d]); err != nil {
			return err
		}
	}
	for _, p := range c.patches {
		if err := p.check(ctx); err != nil {
			return err
		}
	}
	c.out.Patches = len(c.patches)
	return c.settle()
}

// ids gives the patches to check.
func (c *checkup) ids() ([]string, error) {
	for _, id := range c.o.Patches {
		if _, err := patch.FileName(id); err != nil || !c.site.listed(id) {
			return nil, &MissingPatchError{id}
		}
	}
	if len(c.o.Patches) > 0 {
		return c.o.Patches, nil
	}
	entries, err := os.ReadDir(c.site.path(patchesDir))
	var out []string
	for _, e := range entries {
		if e.IsDir() && c.site.listed(e.Name()) {
			out = append(out, e.Name())
		}
	}
	return out, err
}

// blob reads a blob.
func (c *checkup) blob(ctx context.Context, d Damage) error {
	c.out.Blobs++
	return c.note(ctx, d, c.site.blobs.Check(ctx, d.Digest, d.Size))
}

// note takes down what came of reading something. It fails where that is the end
// of the check.
func (c *checkup) note(ctx context.Context, d Damage, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, fs.ErrPermission) {
		return err // which says nothing of the disk
	}
	if err != nil {
		d.Error = err.Error()
		c.out.Damage = append(c.out.Damage, d)
	}
	if c.out.Bytes += d.Size; c.o.Progress != nil {
		c.o.Progress(c.out.Bytes, max(c.total, c.out.Bytes))
	}
	return nil
}

// settle leaves out what only patches needed that were removed meanwhile.
func (c *checkup) settle() error {
	for _, id := range c.o.Patches {
		if !c.site.listed(id) {
			return fmt.Errorf("it was removed meanwhile: %w", &MissingPatchError{id})
		}
	}
	there := make(map[string]bool)
	for _, p := range c.patches {
		there[p.id] = c.site.listed(p.id)
	}
	c.out.Damage = slices.DeleteFunc(c.out.Damage, func(d Damage) bool {
		return !slices.ContainsFunc(d.Patches, func(id string) bool { return there[id] })
	})
	return nil
}
