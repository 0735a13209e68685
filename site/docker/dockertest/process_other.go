//go:build !linux

package dockertest

import "os/exec"

func endWithThis(*exec.Cmd) {}

func terminate(cmd *exec.Cmd) { _ = cmd.Process.Kill() }

func unmount(string) {}
