package engine

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// ErrNoRunc means that RUN steps cannot be run on this machine.
var ErrNoRunc = errors.New("no OCI runtime found for RUN steps (looked for runc beside the program and for runc, crun in PATH): install Debian's package runc, or run \"make runc\" in flotobuild's sources, or name one in FLOTOBUILD_RUNC")

// FindRunc returns the path of the OCI runtime: name if it is not empty, else
// FLOTOBUILD_RUNC, else runc beside the program, else runc or crun in PATH.
func FindRunc(name string) (string, error) {
	if name == "" {
		name = os.Getenv("FLOTOBUILD_RUNC")
	}
	if name != "" {
		p, err := exec.LookPath(name)
		if err != nil {
			return "", fmt.Errorf("cannot use the OCI runtime %q: %w", name, err)
		}
		return filepath.Abs(p)
	}
	if exe, err := os.Executable(); err == nil {
		if p, err := exec.LookPath(filepath.Join(filepath.Dir(exe), "runc")); err == nil {
			return p, nil
		}
	}
	for _, n := range []string{"runc", "buildkit-runc", "crun"} {
		if p, err := exec.LookPath(n); err == nil {
			return filepath.Abs(p)
		}
	}
	return "", ErrNoRunc
}
