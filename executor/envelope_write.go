package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/flotobuild/flotobuild/planner"
)

// Places below the folder of an outbox, within planner.EnvelopesDir: no envelope
// has a name that begins with a dot, and nothing there travels in conf/.
const (
	stagingDir = "envelopes/.staging" // what is to get its place
	goneDir    = "envelopes/.gone"    // what has lost it
)

// An outbox holds outputs on their way to their places, and those that go. Either
// all of it happens, or nothing.
type outbox struct {
	dir   string // of all outputs
	names []string
	gone  []string // names of outputs that belong to nothing
	done  []move
}

// A move is done.
type move struct {
	name    string
	swapped bool // with an older one, which is in the staging folder now
	gone    bool
}

// outputDir is the common parent of planner.EnvelopesDir and VolumesDir.
func outputDir() string { return path.Dir(planner.EnvelopesDir) }

// inside gives the name of an output in the outbox.
func inside(place string) string {
	return filepath.FromSlash(strings.TrimPrefix(place, outputDir()+"/"))
}

// stage writes what was sealed and what volumes are to hold beside the places of
// outputs, and to the disk.
func (r *run) stage(ctx context.Context) (*outbox, error) {
	o := &outbox{dir: r.path(outputDir())}
	if !r.hasOutputs() {
		return o, nil
	}
	if err := o.clean(); err != nil { // what a killed run left
		return nil, err
	}
	if err := r.stageEnvelopes(ctx, o); err != nil {
		return o, err
	}
	if err := r.stageVolumes(ctx, o); err != nil {
		return o, err
	}
	for _, s := range r.plan.Strays {
		if s.Kept {
			continue
		}
		o.gone = append(o.gone, inside(s.Path))
		if path.Dir(s.Path) == planner.VolumesDir {
			o.gone = append(o.gone, inside(s.Path+planner.RecordSuffix))
		}
	}
	return o, syncAll(o.dir)
}

// hasOutputs tells whether anything is done outside of patches.
func (r *run) hasOutputs() bool {
	if r.opts.PatchesOnly {
		return false
	}
	volumes := slices.ContainsFunc(r.plan.Volumes, func(v *planner.VolumePlan) bool { return v.Change != planner.ChangeNone })
	strays := slices.ContainsFunc(r.plan.Strays, func(s planner.Stray) bool { return !s.Kept })
	return volumes || strays || len(r.sealed)+len(r.restored) > 0
}

func (r *run) stageEnvelopes(ctx context.Context, out *outbox) error {
	for _, e := range r.plan.Envelopes {
		perm := fs.FileMode(0o666)
		if e.Exposed() {
			perm = 0o600
		}
		for _, c := range e.Changes {
			o := r.output(e, c)
			if _, there := o.(kept); there {
				continue
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			name := inside(planner.EnvelopeFolder(e.Name, c.Device))
			if err := writeOutput(o, filepath.Join(out.dir, stagingDir, name), perm); err != nil {
				return fmt.Errorf("cannot write envelope %q for device %q: %w", e.Name, c.Device, err)
			}
			out.names = append(out.names, name)
		}
	}
	return nil
}

// writeOutput writes the files of an output, and its record.
func writeOutput(o output, dir string, perm fs.FileMode) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, f := range o.list() {
		if err := copyOut(o, f.Path, dir, perm); err != nil {
			return err
		}
	}
	return copyOut(o, planner.SealedFile, dir, 0o600)
}

func copyOut(o output, name, dir string, perm fs.FileMode) error {
	in, err := o.open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// syncAll puts everything that was written on a file system on its disk: one
// call for thousands of files.
func syncAll(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := syncFileSystem(f); err != nil {
		return fmt.Errorf("cannot write envelopes to the disk: %w", err)
	}
	return nil
}

// publish gives every output its place, and takes those away that belong to
// nothing. When one fails, those before it are taken back.
func (o *outbox) publish() error {
	for _, name := range o.names {
		if err := o.place(name); err != nil {
			return errors.Join(fmt.Errorf("cannot publish %q: %w", filepath.ToSlash(name), err), o.takeBack())
		}
	}
	for _, name := range o.gone {
		if err := o.remove(name); err != nil {
			return errors.Join(fmt.Errorf("cannot remove %q: %w", filepath.ToSlash(name), err), o.takeBack())
		}
	}
	if len(o.done) == 0 {
		return nil
	}
	return syncAll(o.dir)
}

func (o *outbox) place(name string) error {
	from, to := filepath.Join(o.dir, stagingDir, name), filepath.Join(o.dir, name)
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		return err
	}
	swapped, err := exchange(from, to)
	if err == nil {
		o.done = append(o.done, move{name: name, swapped: swapped})
	}
	return err
}

func (o *outbox) remove(name string) error {
	to := filepath.Join(o.dir, goneDir, name)
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		return err
	}
	err := os.Rename(filepath.Join(o.dir, name), to)
	if err == nil {
		o.done = append(o.done, move{name: name, gone: true})
	}
	return err
}

// exchange puts an output into its place and what is there, if anything, into
// its own: in one step where the file system can do that.
func exchange(from, to string) (swapped bool, err error) {
	if _, err := os.Lstat(to); errors.Is(err, fs.ErrNotExist) {
		return false, os.Rename(from, to)
	}
	if err := swap(from, to); !errors.Is(err, errors.ErrUnsupported) {
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

// takeBack undoes publish. What cannot be undone stays done.
func (o *outbox) takeBack() error {
	var errs []error
	var left []move
	for _, m := range slices.Backward(o.done) {
		from, to := filepath.Join(o.dir, stagingDir, m.name), filepath.Join(o.dir, m.name)
		var err error
		switch {
		case m.gone:
			err = os.Rename(filepath.Join(o.dir, goneDir, m.name), to)
		case m.swapped:
			_, err = exchange(from, to)
		default:
			err = os.Rename(to, from)
		}
		if err != nil {
			errs, left = append(errs, err), append(left, m)
		}
	}
	o.done = left
	return errors.Join(errs...)
}

// clean removes what was staged, replaced or taken away, and the folders of
// envelopes that have no device any more.
func (o *outbox) clean() error {
	for _, dir := range []string{stagingDir, goneDir} {
		if err := os.RemoveAll(filepath.Join(o.dir, dir)); err != nil {
			return fmt.Errorf("cannot clean up after writing envelopes: %w", err)
		}
	}
	for _, m := range o.done {
		if m.gone {
			_ = os.Remove(filepath.Dir(filepath.Join(o.dir, m.name))) // fails where something is in it
		}
	}
	return nil
}
