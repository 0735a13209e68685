//go:build !linux

package docker

import (
	"os/exec"
	"syscall"
)

// end makes Compose end when it is asked to.
func end(cmd *exec.Cmd) {
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
}
