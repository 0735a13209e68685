package volume

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// noise is a file of any size that nobody has to store.
type noise struct{}

// ReadAt gives bytes that follow from their place.
func (noise) ReadAt(p []byte, off int64) (int, error) {
	var word [8]byte
	for n := 0; n < len(p); {
		at := off + int64(n)
		binary.LittleEndian.PutUint64(word[:], uint64(at>>3)*0x9e3779b97f4a7c15)
		n += copy(p[n:], word[at&7:])
	}
	return len(p), nil
}

// Memory does not grow with the file: 400 MB are split, joined and restored in
// far less.
func TestMemory(t *testing.T) {
	if dir := os.Getenv("VOLUME_TEST_MEMORY"); dir != "" {
		splitAndRestore(t, dir)
		return
	}
	if testing.Short() {
		t.Skip("writes 1 GB")
	}
	cmd := exec.Command(os.Args[0], "-test.run=TestMemory$", "-test.v")
	cmd.Env = append(os.Environ(), "VOLUME_TEST_MEMORY="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestMemory") {
		t.Fatalf("%v: %s", err, out)
	}
}

func splitAndRestore(t *testing.T, dir string) {
	const size, most = 400 << 20, 200 << 10
	l, err := NewLayout("big", size, 21<<20, 3)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Split(t.Context(), noise{}, l, dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Publish(); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 7, 20} {
		os.Remove(s.Paths()[n])
	}
	set, err := Find([]string{dir}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Join(t.Context(), set, filepath.Join(dir, "big"), Options{}); err != nil {
		t.Fatal(err)
	}
	if peak := peakKiB(t); peak > most {
		t.Errorf("%d KiB at the peak, more than %d", peak, most)
	}
}

// peakKiB is the most memory that the process has had.
func peakKiB(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	n := 0
	for _, r := range strings.TrimSpace(rest) {
		if r < '0' || r > '9' {
			break
		}
		n = 10*n + int(r-'0')
	}
	if n == 0 {
		t.Fatal("the kernel does not tell")
	}
	return n
}
