package regular

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestOpen(t *testing.T) {
	t.Chdir(t.TempDir()) // the path of a socket must be short
	if err := os.WriteFile("file", []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	f, info, err := Open("file")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if b, err := io.ReadAll(f); string(b) != "text" || err != nil || info.Size() != 4 {
		t.Errorf("got %q, %v", b, err)
	}
	if _, _, err := Open("missing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
}

func TestOpenRefusesAtOnce(t *testing.T) {
	t.Chdir(t.TempDir())
	l, err := net.Listen("unix", "socket")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, err := range []error{
		syscall.Mkfifo("pipe", 0o644), os.Mkdir("folder", 0o755), os.Symlink("pipe", "link"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"pipe", "socket", "folder", "link", filepath.FromSlash("/dev/null")} {
		if _, _, err := Open(name); !errors.Is(err, ErrNot) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
