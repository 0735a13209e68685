package atomicfile

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// flushBehind makes the kernel begin to write a part of a file to the disk. It
// is a hint: whatever fails shows at the sync.
func flushBehind(f *os.File, off, n int64) {
	_ = unix.SyncFileRange(int(f.Fd()), off, n, unix.SYNC_FILE_RANGE_WRITE)
}

// renameNew renames from to to unless to exists. File systems that cannot do
// that in one step (NFS) get a second name and lose the first.
func renameNew(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EOPNOTSUPP) {
		return os.Link(from, to)
	}
	return err
}
