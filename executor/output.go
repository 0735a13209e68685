package executor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

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
	}
	return errors.Join(errs...)
}

// writable tells whether dir is a folder that can be written, or can be
// created.
func writable(dir string) error {
	st, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) && filepath.Dir(dir) != dir {
		return writable(filepath.Dir(dir))
	}
	if err != nil {
		return err
	}
	if !st.IsDir() {
		return fmt.Errorf("%q is no folder", dir)
	}
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return &fs.PathError{Op: "write", Path: dir, Err: err}
	}
	return nil
}
