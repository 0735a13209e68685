package atomicfile

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// copyRange lets the kernel copy up to n bytes to the place of Write. Where it
// cannot, as between some file systems, they are read and written.
func copyRange(dst, src *os.File, offset, n int64) (int64, error) {
	for {
		from := offset
		done, err := unix.CopyFileRange(int(src.Fd()), &from, int(dst.Fd()), nil, int(n), 0)
		switch {
		case errors.Is(err, unix.EINTR):
		case done > 0:
			return int64(done), nil
		case err == nil || errors.Is(err, unix.EXDEV) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EPERM):
			return copyThrough(dst, src, offset, n)
		default:
			return 0, err
		}
	}
}
