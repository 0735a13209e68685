package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/flotobuild/flotobuild/tools/shell"
)

func TestWriteTar(t *testing.T) {
	var first, second bytes.Buffer
	for _, w := range []io.Writer{&first, &second} {
		if err := writeTar(w, []byte("binary"), shell.Names()); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two tars of the same content differ")
	}
	seen := map[string]bool{"./": true}
	for r := tar.NewReader(&first); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if parent := path.Dir(strings.TrimSuffix(h.Name, "/")) + "/"; !seen[parent] || seen[h.Name] {
			t.Errorf("%q stands twice or before its folder", h.Name)
		}
		seen[h.Name] = true
	}
	for _, name := range []string{"bin/sh", "bin/ls", "bin/true", "etc/passwd", "tmp/"} {
		if !seen[name] {
			t.Errorf("%q is missing", name)
		}
	}
}

// TestWriteRootfs makes the real file twice, and where it may, lives in it.
func TestWriteRootfs(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	dir := t.TempDir()
	var tars [2][]byte
	for i := range tars {
		file := filepath.Join(dir, "root.tar")
		if err := writeRootfs(file, runtime.GOARCH); err != nil {
			t.Fatal(err)
		}
		var err error
		if tars[i], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(tars[0], tars[1]) {
		t.Error("two root file systems differ")
	}
	if os.Getuid() != 0 || runtime.GOOS != "linux" {
		t.Skip("only root may chroot")
	}
	root := filepath.Join(dir, "root")
	unpack(t, tars[0], root)
	run := exec.Command("/bin/sh", "-c", "echo a > /tmp/a && /usr/bin/cat /tmp/a && ls /etc; exit 5")
	run.SysProcAttr = &syscall.SysProcAttr{Chroot: root}
	run.Dir, run.Env = "/", []string{"PATH=/bin"}
	out, err := run.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 5 && string(out) == "a\ngroup\npasswd\n" {
		return
	}
	if errors.Is(err, syscall.EPERM) {
		t.Skip("chroot is not permitted here")
	}
	t.Errorf("in the root: %v, output %q", err, out)
}

func unpack(t *testing.T, data []byte, root string) {
	t.Helper()
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(root, h.Name)
		content, _ := io.ReadAll(r)
		switch h.Typeflag {
		case tar.TypeDir:
			err = os.MkdirAll(name, os.FileMode(h.Mode))
		case tar.TypeSymlink:
			err = os.Symlink(h.Linkname, name)
		default:
			err = os.WriteFile(name, content, os.FileMode(h.Mode))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestWriteRootfs_keepsOldFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "root.tar")
	if err := os.WriteFile(file, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	failing := func(io.Writer) error { return errors.New("disk full") }
	if err := replaceFile(file, failing); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("replaceFile = %v", err)
	}
	if data, _ := os.ReadFile(file); string(data) != "old" {
		t.Errorf("the old file is now %q", data)
	}
	if names, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".*")); len(names) > 0 {
		t.Errorf("left behind: %q", names)
	}
}
