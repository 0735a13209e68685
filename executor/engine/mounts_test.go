//go:build linux

package engine

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// What a mount of a killed engine shows must outlive the cleaning of the folder
// that it is in.
func TestUnmountBelow(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root mounts")
	}
	dir := t.TempDir()
	snapshot, tmp := filepath.Join(dir, "snapshot"), filepath.Join(dir, "state", "tmp")
	at := filepath.Join(tmp, "buildkit-mount 1") // a space is escaped in the list of mounts
	for _, d := range []string{snapshot, at} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(snapshot, "file")
	if err := os.WriteFile(file, []byte("kept"), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 { // one on the other
		if err := unix.Mount(snapshot, at, "", unix.MS_BIND, ""); err != nil {
			t.Skipf("cannot mount here: %v", err)
		}
	}
	if _, err := prepareRoot(filepath.Join(dir, "state")); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "kept" {
		t.Errorf("the snapshot's file: %q, %v", b, err)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("tmp holds %v, %v", left, err)
	}
}
