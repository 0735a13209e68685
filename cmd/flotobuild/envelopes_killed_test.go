package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sys/unix"

	"github.com/flotobuild/flotobuild/planner"
)

// whole reads what each device has, and fails where it is not complete. It counts
// the devices by version.
func (f *fleet) whole(t *testing.T) map[string]int {
	t.Helper()
	out := make(map[string]int)
	for n := range f.devices {
		last, err := planner.DecodeSealed(f.output(t, n, planner.SealedFile))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range last.Files {
			if got := digest.FromBytes(f.output(t, n, file.Path)); got != file.Digest {
				t.Fatalf("device %d has another %s than its record says", n, file.Path)
			}
		}
		out[last.Version]++
	}
	return out
}

// An apply that is killed while outputs get their places leaves each device with
// the old one or the new one, and the next one does the rest.
func TestEnvelopesKilled(t *testing.T) {
	const devices = 150
	f := newFleet(t, devices, 2)
	f.run(t, "apply", "-auto-approve")
	mixed := false
	for _, release := range []string{"1", "2", "3", "4"} {
		cmd := exec.Command("flotobuild", "apply", "-auto-approve", "-var=last="+release)
		cmd.Dir = f.dir
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		f.await(t)
		if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		have := f.whole(t)
		mixed = mixed || len(have) > 1
		t.Log(have)
	}
	if !mixed {
		t.Log("no apply was killed between the first and the last output")
	}
	f.run(t, "apply", "-auto-approve", "-var=last=5")
	if have := f.whole(t); have["5"] != devices {
		t.Errorf("after the next apply: %v", have)
	}
	f.clean(t)
}

// await waits until the first device has another output.
func (f *fleet) await(t *testing.T) {
	t.Helper()
	inode := func() uint64 {
		var st unix.Stat_t
		if err := unix.Stat(filepath.Join(f.dir, "dist", "envelopes", "tuning", deviceName(0)), &st); err != nil {
			t.Fatal(err)
		}
		return st.Ino
	}
	before := inode()
	for end := time.Now().Add(time.Minute); inode() == before; {
		if time.Now().After(end) {
			t.Fatal("nothing is published")
		}
	}
}

func (f *fleet) clean(t *testing.T) {
	t.Helper()
	if left, _ := filepath.Glob(filepath.Join(f.dir, "dist", "envelopes", ".*")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

// A disk that cannot take the new outputs keeps the old ones.
func TestEnvelopesOnFullDisk(t *testing.T) {
	const devices = 20
	f := newFleet(t, devices, 5)
	dist := filepath.Join(f.dir, "dist")
	if err := os.Mkdir(dist, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dist, "tmpfs", 0, "size=1100k"); err != nil {
		t.Skipf("cannot mount a small disk: %v", err)
	}
	defer unix.Unmount(dist, unix.MNT_DETACH)
	f.run(t, "apply", "-auto-approve")
	cmd := exec.Command("flotobuild", "apply", "-auto-approve", "-var=last=1")
	cmd.Dir = f.dir
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "no space left on device") {
		t.Errorf("%v: %s", err, out)
	}
	if have := f.whole(t); have["unchanged"] != devices {
		t.Errorf("the devices have %v", have)
	}
	f.clean(t)
}
