// Command rootfs writes a small root file system as a tar file: a static shell
// with its commands, and nothing else. Tests and examples use it as base image,
// because it comes from Go alone, without a registry or a download.
//
// Usage, from within this module:
//
//	go run ./rootfs [-arch ARCH] FILE
//
// The same Go release and module versions give the same bytes on any machine.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/flotobuild/flotobuild/tools/shell"
)

// shellPackage is what /bin/sh is built from.
const shellPackage = "github.com/flotobuild/flotobuild/tools/sh"

func main() {
	arch := flag.String("arch", runtime.GOARCH, "processor that the root file system is for")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: rootfs [-arch ARCH] FILE")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := writeRootfs(flag.Arg(0), *arch); err != nil {
		fmt.Fprintf(os.Stderr, "rootfs: error: %v\n", err)
		os.Exit(1)
	}
}

// writeRootfs builds the shell and writes the tar file. A file that exists is
// replaced only once the new one is complete.
func writeRootfs(file, arch string) error {
	dir, err := os.MkdirTemp("", "rootfs-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary, err := buildShell(filepath.Join(dir, "sh"), arch)
	if err != nil {
		return err
	}
	return replaceFile(file, func(w io.Writer) error { return writeTar(w, binary, shell.Names()) })
}

// buildShell builds the static shell and returns its bytes.
func buildShell(file, arch string) ([]byte, error) {
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags=-s -w -buildid=", "-o", file, shellPackage)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("cannot build the shell for %q: %w", arch, err)
	}
	return os.ReadFile(file)
}

// replaceFile writes a file beside the target and renames it.
func replaceFile(file string, write func(io.Writer) error) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), ".rootfs-")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	defer tmp.Close()
	if err := write(tmp); err != nil {
		return fmt.Errorf("cannot write %q: %w", file, err)
	}
	if err := tmp.Chmod(0o644); err != nil {
		return err
	}
	if err := tmp.Close(); err != nil {
		return fmt.Errorf("cannot write %q: %w", file, err)
	}
	return os.Rename(tmp.Name(), file)
}
