//go:build !linux

package executor

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncFileSystem puts everything that was written on its disk, as far as the
// system waits for that.
func syncFileSystem(*os.File) error {
	unix.Sync()
	return nil
}

// swap is for systems that can exchange two files in one step.
func swap(_, _ string) error { return errors.ErrUnsupported }
