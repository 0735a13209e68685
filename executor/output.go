package executor

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

// checkOutputs finds output folders that cannot be written before hours are
// spent on builds.
func (r *run) checkOutputs() error {
	var errs []error
	for _, s := range r.plan.Sites {
		if s.Change == planner.ChangeNone {
			continue
		}
		if err := writable(r.path(s.Patch.Output)); err != nil {
			errs = append(errs, fmt.Errorf("cannot write patches of site %q to %q: %w", s.Name, s.Patch.Output, err))
		}
		if _, err := r.created(s.Name); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, r.checkEnvelopeOutputs()...)...)
}

// checkEnvelopeOutputs does the same for envelopes and volumes.
func (r *run) checkEnvelopeOutputs() []error {
	dirs := make(map[string]bool)
	if len(r.plan.Strays) > 0 || slices.ContainsFunc(r.plan.Envelopes, (*planner.EnvelopePlan).Sealed) {
		dirs[planner.EnvelopesDir] = true
	}
	if slices.ContainsFunc(r.plan.Volumes, func(v *planner.VolumePlan) bool { return v.Change != planner.ChangeNone }) {
		dirs[planner.EnvelopesDir], dirs[planner.VolumesDir] = true, true
	}
	var errs []error
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		if err := writable(r.path(dir)); err != nil {
			errs = append(errs, fmt.Errorf("cannot write envelopes to %q: %w", dir, err))
		}
	}
	return errs
}

// created is the creation date of a site's next patch. It is after those of the
// parents, or a parent would stay the site's latest patch for ever.
func (r *run) created(site string) (time.Time, error) {
	t := r.opts.created()
	for _, parent := range r.parents.bySite[site] {
		var err error
		if t, err = r.after(t, site, parent); err != nil {
			return t, err
		}
	}
	return t, nil
}

func (r *run) after(t time.Time, site string, parent *patch.Description) (time.Time, error) {
	if t.After(parent.CreationDate.Time) {
		return t, nil
	}
	if r.opts.Epoch != nil {
		return t, fmt.Errorf("cannot date the patch of site %q: SOURCE_DATE_EPOCH is %s, and the parent %q is not older; set it to a later time", site, t.UTC().Format(time.RFC3339), parent.ID)
	}
	return parent.CreationDate.Add(time.Millisecond), nil
}

// writable tells whether dir is a folder that can be written, or can be
// created.
func writable(dir string) error {
	st, err := os.Stat(dir)
	if target, lerr := os.Readlink(dir); lerr == nil && errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%q is a symbolic link to %q, which does not exist", dir, target)
	}
	if errors.Is(err, fs.ErrNotExist) && filepath.Dir(dir) != dir {
		return writable(filepath.Dir(dir))
	}
	if err != nil {
		return err
	}
	if !st.IsDir() {
		return fmt.Errorf("%q is no folder", dir)
	}
	// With the rights that writing will have: capabilities count.
	if err := unix.Faccessat(unix.AT_FDCWD, dir, unix.W_OK|unix.X_OK, unix.AT_EACCESS); err != nil {
		return &fs.PathError{Op: "write", Path: dir, Err: err}
	}
	return nil
}
