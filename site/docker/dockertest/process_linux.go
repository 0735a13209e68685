package dockertest

import (
	"os/exec"
	"strings"
	"syscall"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// endWithThis makes the engine end in its own way when this process is killed.
func endWithThis(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

func terminate(cmd *exec.Cmd) { _ = cmd.Process.Signal(syscall.SIGTERM) }

// unmount takes away what an engine left mounted below a folder.
func unmount(dir string) {
	mounts, _ := mountinfo.GetMounts(mountinfo.PrefixFilter(dir))
	for n := len(mounts) - 1; n >= 0; n-- {
		if strings.HasPrefix(mounts[n].Mountpoint, dir+"/") {
			_ = unix.Unmount(mounts[n].Mountpoint, unix.MNT_DETACH)
		}
	}
}
