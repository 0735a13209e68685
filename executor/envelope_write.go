package executor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/flotobuild/flotobuild/planner"
)

// stagingDir is where outputs are written before they get their places, below
// planner.EnvelopesDir. No envelope has a name that begins with a dot.
const stagingDir = ".staging"

// An outbox holds the folders of sealed devices on their way to their places.
// Either all get there, or none does.
type outbox struct {
	dir     string // of all envelopes
	folders []string
	placed  []placed
}

// placed is a folder that has its place.
type placed struct {
	folder  string
	swapped bool // with an older one, which is in the staging folder now
}

// stage writes what was sealed beside the places of outputs, and to the disk.
func (r *run) stage(ctx context.Context) (*outbox, error) {
	o := &outbox{dir: r.path(planner.EnvelopesDir)}
	if len(r.sealed) == 0 {
		return o, nil
	}
	if err := o.clean(); err != nil { // what a killed run left
		return nil, err
	}
	for _, e := range r.plan.Envelopes {
		for _, c := range e.Changes {
			s := r.sealed[planner.EnvelopeFolder(e.Name, c.Device)]
			if s == nil {
				continue
			}
			if ctx.Err() != nil {
				return o, context.Cause(ctx)
			}
			folder := filepath.Join(e.Name, c.Device)
			if err := s.write(filepath.Join(o.dir, stagingDir, folder)); err != nil {
				return o, fmt.Errorf("cannot write envelope %q for device %q: %w", e.Name, c.Device, err)
			}
			o.folders = append(o.folders, folder)
		}
	}
	return o, syncAll(o.dir)
}

// write writes the files of a sealing, and its record.
func (s *sealing) write(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, f := range s.files {
		b, err := s.file(f.Path)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, f.Path), b, 0o666)
		}
		if err != nil {
			return err
		}
	}
	b, err := json.MarshalIndent(s.state(), "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, planner.SealedFile), append(b, '\n'), 0o600)
}

// syncAll puts everything that was written on a file system on its disk: one
// call for thousands of files.
func syncAll(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.Syncfs(int(f.Fd())); err != nil && !errors.Is(err, unix.ENOSYS) {
		return fmt.Errorf("cannot write envelopes to the disk: %w", err)
	}
	return nil
}

// publish gives every folder its place. When one fails, those before it are
// taken back.
func (o *outbox) publish() error {
	for _, folder := range o.folders {
		if err := o.place(folder); err != nil {
			return errors.Join(fmt.Errorf("cannot publish envelope %q: %w", filepath.ToSlash(folder), err), o.takeBack())
		}
	}
	if len(o.folders) == 0 {
		return nil
	}
	return syncAll(o.dir)
}

func (o *outbox) place(folder string) error {
	from, to := filepath.Join(o.dir, stagingDir, folder), filepath.Join(o.dir, folder)
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		return err
	}
	swapped, err := exchange(from, to)
	if err == nil {
		o.placed = append(o.placed, placed{folder, swapped})
	}
	return err
}

// exchange puts a folder into its place and what is there, if anything, into
// its own: in one step where the file system can do that.
func exchange(from, to string) (swapped bool, err error) {
	if _, err := os.Lstat(to); errors.Is(err, fs.ErrNotExist) {
		return false, os.Rename(from, to)
	}
	err = unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_EXCHANGE)
	if !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EOPNOTSUPP) {
		return err == nil, err
	}
	old := from + ".old"
	if err := os.Rename(to, old); err != nil {
		return false, err
	}
	if err := os.Rename(from, to); err != nil {
		return false, errors.Join(err, os.Rename(old, to))
	}
	return true, os.Rename(old, from)
}

// takeBack undoes publish.
func (o *outbox) takeBack() error {
	var errs []error
	for _, p := range slices.Backward(o.placed) {
		from, to := filepath.Join(o.dir, stagingDir, p.folder), filepath.Join(o.dir, p.folder)
		var err error
		if p.swapped {
			_, err = exchange(from, to)
		} else {
			err = os.Rename(to, from)
		}
		errs = append(errs, err)
	}
	o.placed = nil
	return errors.Join(errs...)
}

// clean removes the staging folder, with the outputs that were replaced.
func (o *outbox) clean() error {
	if err := os.RemoveAll(filepath.Join(o.dir, stagingDir)); err != nil {
		return fmt.Errorf("cannot clean up after writing envelopes: %w", err)
	}
	return nil
}
