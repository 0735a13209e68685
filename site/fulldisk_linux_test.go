package site

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// diskVariable names the folder where TestFullDisk mounts a small disk, in a
// process with mounts of its own.
const diskVariable = "FLOTOBUILD_TEST_SITE_DISK"

// TestFullDisk works on a disk without a free byte: nothing breaks, and gc makes
// space.
func TestFullDisk(t *testing.T) {
	if dir := os.Getenv(diskVariable); dir != "" {
		onFullDisk(t, dir)
		return
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^TestFullDisk$", "-test.v")
	cmd.Env = append(os.Environ(), diskVariable+"="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSPC) {
		t.Skipf("the machine allows no mounts of one's own: %v", err)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func onFullDisk(t *testing.T, dir string) {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatal(err)
	}
	c := newScene(t)
	store := filepath.Join(dir, "store")
	if err := os.CopyFS(store, os.DirFS(c.store)); err != nil {
		t.Fatal(err)
	}
	s, err := Open(store)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, filepath.Join(dir, "filling"))
	var space *SpaceError
	if _, err := s.Import(t.Context(), Source{Path: c.paths[3]}, ImportOptions{}); !errors.As(err, &space) && !errors.Is(err, unix.ENOSPC) {
		t.Errorf("import: %v", err)
	}
	if st, err := s.Status(t.Context()); err != nil || len(st.Imports) != 0 {
		t.Errorf("a refused import has left something: %+v, %v", st, err)
	}
	if err := s.Activate(t.Context(), c.ids[2], "test"); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("activate: %v", err)
	}
	if id, _, err := s.Active(); err != nil || id != c.ids[1] {
		t.Errorf("%q is active: %v", id, err)
	}
	if s.free() != 0 {
		t.Fatalf("%d bytes are free", s.free())
	}
	got, err := s.GC(t.Context(), GCOptions{})
	if err != nil || len(got.Patches) != 1 || got.Blobs == 0 {
		t.Fatalf("collected %+v: %v", got, err)
	}
	sound(t, s)
	if l := leaks(t, s); len(l) > 0 {
		t.Errorf("left: %q", l)
	}
	if err := os.Remove(filepath.Join(dir, "filling")); err != nil {
		t.Fatal(err)
	}
	mustImport(t, s, c.paths[3])
	sound(t, s)
	readOnly(t, s, dir)
}

// readOnly looks at a store that cannot be written to.
func readOnly(t *testing.T, s *Site, disk string) {
	t.Helper()
	if err := unix.Mount("", disk, "", unix.MS_REMOUNT|unix.MS_RDONLY, "size=1m"); err != nil {
		t.Fatal(err)
	}
	if st, err := s.Status(t.Context()); err != nil || st.Holder != nil || st.Patches == 0 {
		t.Errorf("status of a store that is read-only: %+v, %v", st, err)
	}
}

// fill takes every byte of the disk.
func fill(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 4<<10); ; {
		if _, err := f.Write(block); err != nil {
			return
		}
	}
}
