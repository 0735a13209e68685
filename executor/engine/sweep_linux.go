package engine

import (
	"os"
	"os/exec"
	"path/filepath"

	"github.com/sirupsen/logrus"
	"golang.org/x/sys/unix"
)

// sweep removes the containers, mounts and folders of RUN steps that were under
// way when an engine was killed; BuildKit itself never looks for them. The
// caller holds the state folder's lock, so nothing found here is in use.
func sweep(root, runcName string) {
	bundles, err := filepath.Glob(filepath.Join(root, "runc-*", "executor", "*", "config.json"))
	if err != nil {
		return
	}
	runc, runcErr := FindRunc(runcName)
	for _, config := range bundles {
		bundle := filepath.Dir(config)
		logrus.Warnf("sweeping the container of a killed engine: %s", filepath.Base(bundle))
		if runcErr == nil {
			if out, err := exec.Command(runc, "delete", "-f", filepath.Base(bundle)).CombinedOutput(); err != nil {
				logrus.Warnf("cannot delete the container: %v: %s", err, out)
			}
		}
		if err := unix.Unmount(filepath.Join(bundle, "rootfs"), unix.MNT_DETACH); err != nil && err != unix.EINVAL && err != unix.ENOENT {
			logrus.Warnf("cannot unmount the container's root: %v", err)
			continue // removing it now would delete the snapshot's files
		}
		if err := os.RemoveAll(bundle); err != nil {
			logrus.Warnf("cannot remove the container's folder: %v", err)
		}
	}
}
