package engine

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// unmountBelow takes away the mounts in folders that a killed engine left, the
// innermost first; it detaches those that something still uses. They must go
// before anything in the folders is removed: behind a mount stand the files of a
// snapshot. A folder that is a mount point itself stays one.
func unmountBelow(dirs ...string) error {
	var errs []error
	for _, dir := range dirs {
		real, err := filepath.EvalSymlinks(dir)
		if err != nil {
			continue // it does not exist
		}
		mounts, err := mountinfo.GetMounts(func(m *mountinfo.Info) (skip, stop bool) {
			return !strings.HasPrefix(m.Mountpoint, real+"/"), false
		})
		if err != nil {
			return fmt.Errorf("cannot list mounts: %w", err)
		}
		for _, m := range slices.Backward(mounts) { // a later one may cover an earlier one
			if err := unix.Unmount(m.Mountpoint, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
				errs = append(errs, fmt.Errorf("cannot unmount %q, which a killed engine left: %w", m.Mountpoint, err))
			}
		}
	}
	return errors.Join(errs...)
}
