package atomicfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Prefix starts the name of every temporary file.
const Prefix = ".flotobuild-tmp-"

// A File is a temporary file that becomes a real one by Replace or Publish.
// Its methods are not safe for concurrent use, ReadAt and WriteAt aside.
type File struct {
	f      *os.File
	ops    operations
	synced bool // nothing was written since Sync
	done   bool

	written, begun int64 // bytes; of those, what the disk has been told to take
}

// operations are the steps that make a file real; tests let them fail.
type operations struct {
	sync    func(*os.File) error
	rename  func(from, to string) error
	link    func(from, to string) error
	syncDir func(dir string) error
}

func system() operations {
	return operations{(*os.File).Sync, os.Rename, renameNew, SyncDir}
}

// Create makes a temporary file in dir, with the permissions perm less the
// umask. dir must be on the file system where the file is to stand.
func Create(dir string, perm fs.FileMode) (*File, error) {
	for {
		f, err := create(dir, perm)
		if err != nil {
			return nil, fmt.Errorf("cannot create a temporary file: %w", err)
		}
		kept, err := lockNew(f)
		if err != nil {
			discard(f)
			return nil, fmt.Errorf("cannot lock %q: %w", f.Name(), err)
		}
		if kept {
			return &File{f: f, ops: system()}, nil
		}
		f.Close() // a sweep was faster than the lock
	}
}

// create is os.CreateTemp with permissions for the file's later life.
func create(dir string, perm fs.FileMode) (*os.File, error) {
	name := filepath.Join(dir, Prefix+rand.Text())
	return os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
}

// discard removes what create made; the error that led here is the one to
// report.
func discard(f *os.File) {
	os.Remove(f.Name())
	f.Close()
}

// lockNew locks a new file and says whether it still has its name.
func lockNew(f *os.File) (bool, error) {
	if err := flock(f, unix.LOCK_EX); err != nil && !noLocks(err) {
		return false, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return false, err
	}
	return st.Nlink > 0, nil
}

// Name is the temporary path.
func (f *File) Name() string { return f.f.Name() }

// ahead is how much is written before the disk is told to take it, in bytes.
const ahead = 16 << 20

// Write appends to the file. The disk begins to take a large file while it is
// written, so that the end does not wait for all of it.
func (f *File) Write(p []byte) (int, error) {
	f.synced = false
	n, err := f.f.Write(p)
	if f.written += int64(n); f.written-f.begun >= ahead {
		flushBehind(f.f, f.begun, f.written-f.begun)
		f.begun = f.written
	}
	return n, err
}

// ReadFrom appends what r gives. From another file on the same file system the
// kernel copies.
func (f *File) ReadFrom(r io.Reader) (int64, error) {
	f.synced = false
	return f.f.ReadFrom(r)
}

// WriteAt writes at an offset and does not move the place of Write.
func (f *File) WriteAt(p []byte, off int64) (int, error) {
	f.synced = false
	return f.f.WriteAt(p, off)
}

// ReadAt reads what has been written.
func (f *File) ReadAt(p []byte, off int64) (int, error) { return f.f.ReadAt(p, off) }

// Replace makes the file stand at path, in place of a file that is there.
func (f *File) Replace(path string) error {
	if err := f.finish(path, f.ops.rename); err != nil {
		return fmt.Errorf("cannot write %q: %w", path, err)
	}
	return nil
}

// Publish makes the file stand at path. Where something is there already it
// fails with an error that is fs.ErrExist, and nothing changes.
func (f *File) Publish(path string) error {
	if err := f.finish(path, f.ops.link); err != nil {
		return fmt.Errorf("cannot write %q: %w", path, err)
	}
	return nil
}

// finish puts the content on the disk before the name, and the name before it
// returns. A failure removes the temporary file.
func (f *File) finish(path string, rename func(from, to string) error) error {
	if f.done {
		return fs.ErrClosed
	}
	defer f.Abort()
	if err := f.sync(); err != nil {
		return err
	}
	if err := rename(f.f.Name(), path); err != nil {
		return bare(err)
	}
	return f.ops.syncDir(filepath.Dir(path))
}

// Abort removes the temporary file. After Replace, Publish or Abort it does
// nothing, so that it can stand in a defer.
func (f *File) Abort() {
	if f.done {
		return
	}
	f.done = true
	os.Remove(f.f.Name()) // gone already after a rename
	f.f.Close()
}

// WriteFile writes data to the file at path as a whole, replacing one that is
// there.
func WriteFile(path string, data []byte, perm fs.FileMode) error {
	f, err := Create(filepath.Dir(path), perm)
	if err != nil {
		return err
	}
	defer f.Abort()
	if _, err := f.Write(data); err != nil {
		return fmt.Errorf("cannot write %q: %w", path, bare(err))
	}
	return f.Replace(path)
}

// bare takes the paths off an error, since the temporary ones say nothing to
// a reader.
func bare(err error) error {
	if e := (*os.LinkError)(nil); errors.As(err, &e) {
		return e.Err
	}
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}
