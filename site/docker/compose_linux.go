package docker

import (
	"os/exec"
	"syscall"
)

// end makes Compose end when it is asked to, and when this process is killed.
// Its own process group keeps a terminal's interrupt from it: the orderly end
// is this process's business.
func end(cmd *exec.Cmd) {
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
