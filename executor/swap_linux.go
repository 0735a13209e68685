package executor

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncFileSystem puts everything that was written on the file system of f on its
// disk.
func syncFileSystem(f *os.File) error {
	if err := unix.Syncfs(int(f.Fd())); !errors.Is(err, unix.ENOSYS) {
		return err
	}
	return nil
}

// swap exchanges two files or folders in one step. File systems that cannot do
// that give errors.ErrUnsupported.
func swap(a, b string) error {
	err := unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
	if errors.Is(err, unix.EINVAL) {
		return errors.Join(errors.ErrUnsupported, err)
	}
	return err
}
