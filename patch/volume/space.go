package volume

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// checkSpace compares what will be written into dir with the space that is
// left, before hours are spent on filling it.
func checkSpace(dir string, need int64) error {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil || st.Blocks == 0 {
		return nil // unknown; creating files says more
	}
	if free := st.Bavail * uint64(st.Bsize); free < uint64(need) {
		return fmt.Errorf("%q has %d bytes free, and %d are needed: %w", dir, free, need, unix.ENOSPC)
	}
	return nil
}

// bare takes the path off an error, since a temporary one says nothing to a
// reader.
func bare(err error) error {
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		return e.Err
	}
	if e := (*os.LinkError)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}
