package atomicfile

import (
	"errors"

	"golang.org/x/sys/unix"
)

// NoSpace recognises a disk, a quota or a file size limit that is reached.
func NoSpace(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) || errors.Is(err, unix.EFBIG)
}
