package atomicfile

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

func TestWriteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	for _, want := range []string{"one", "two"} {
		if err := WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != want {
			t.Errorf("got %q, %v", b, err)
		}
	}
	if st, err := os.Stat(path); err != nil || st.Mode() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	only(t, path, "two")
}

// only fails unless path is the one file of its folder and holds want; no file
// may be there when want is empty.
func only(t *testing.T, path, want string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); want != "" && got != filepath.Base(path) || want == "" && got != "" {
		t.Errorf("folder holds %q", got)
	}
	if b, _ := os.ReadFile(path); string(b) != want {
		t.Errorf("file holds %q, want %q", b, want)
	}
}

// After a failure of any step there is the old file or the new one.
func TestFailures(t *testing.T) {
	boom := errors.New("boom")
	rename := func(_, _ string) error { return boom }
	for _, c := range []struct {
		name    string
		spoil   func(*operations)
		publish bool
		want    string
	}{
		{"sync", func(o *operations) { o.sync = func(*os.File) error { return boom } }, false, "old"},
		{"rename", func(o *operations) { o.rename = rename }, false, "old"},
		{"folder", func(o *operations) { o.syncDir = func(string) error { return boom } }, false, "new"},
		{"publish: sync", func(o *operations) { o.sync = func(*os.File) error { return boom } }, true, ""},
		{"publish: link", func(o *operations) { o.link = rename }, true, ""},
		{"publish: folder", func(o *operations) { o.syncDir = func(string) error { return boom } }, true, "new"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a")
			f, err := Create(filepath.Dir(path), 0o666)
			if err != nil {
				t.Fatal(err)
			}
			c.spoil(&f.ops)
			f.Write([]byte("new"))
			finish := f.Publish
			if !c.publish {
				os.WriteFile(path, []byte("old"), 0o666)
				finish = f.Replace
			}
			if err := finish(path); !errors.Is(err, boom) || strings.Contains(err.Error(), Prefix) {
				t.Errorf("got %v", err)
			}
			only(t, path, c.want)
		})
	}
}

func TestPublish(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for range 20 {
		wg.Go(func() {
			f, err := Create(filepath.Dir(path), 0o666)
			if err != nil {
				t.Error(err)
				return
			}
			f.Write([]byte("new"))
			switch err := f.Publish(path); {
			case err == nil:
				mu.Lock()
				won++
				mu.Unlock()
			case !errors.Is(err, fs.ErrExist) || strings.Contains(err.Error(), Prefix):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won != 1 {
		t.Errorf("%d files were published", won)
	}
	only(t, path, "new")
}

func TestAbort(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	f, err := Create(filepath.Dir(path), 0o666)
	if err != nil {
		t.Fatal(err)
	}
	f.Abort()
	f.Abort()
	if err := f.Replace(path); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("got %v", err)
	}
	only(t, path, "")
}

func TestCreateNowhere(t *testing.T) {
	if _, err := Create(filepath.Join(t.TempDir(), "none"), 0o666); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// Sweep takes the file of a killed process and leaves that of a live one.
func TestKilledWriter(t *testing.T) {
	dir := os.Getenv("ATOMICFILE_TEST_DIR")
	if dir != "" {
		f, err := Create(dir, 0o666)
		if err != nil {
			t.Fatal(err)
		}
		f.Write([]byte("half"))
		os.Stdout.WriteString("written\n")
		select {}
	}
	dir = t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=TestKilledWriter")
	cmd.Env = append(os.Environ(), "ATOMICFILE_TEST_DIR="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "written\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if removed, err := Sweep(dir); len(removed) > 0 || err != nil {
		t.Errorf("live writer: %q, %v", removed, err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	if removed, err := Sweep(dir); len(removed) != 1 || err != nil {
		t.Errorf("dead writer: %q, %v", removed, err)
	}
	if removed, err := Sweep(filepath.Join(dir, "none")); removed != nil || err != nil {
		t.Errorf("no folder: %q, %v", removed, err)
	}
}

// Writers and sweeps at the same time: every write succeeds.
func TestSweepWhileWriting(t *testing.T) {
	dir := t.TempDir()
	var writers, sweeper sync.WaitGroup
	done := make(chan struct{})
	sweeper.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				Sweep(dir)
			}
		}
	})
	for i := range 4 {
		writers.Go(func() {
			for range 100 {
				if err := WriteFile(filepath.Join(dir, string(rune('a'+i))), []byte("x"), 0o666); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	close(done)
	sweeper.Wait()
}

func TestFullDisk(t *testing.T) {
	if dir := os.Getenv("ATOMICFILE_TEST_FULL"); dir != "" {
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 1000, Max: 1000}); err != nil {
			t.Fatal(err)
		}
		if err := WriteFile(filepath.Join(dir, "a"), make([]byte, 2000), 0o666); err == nil {
			t.Error("no error")
		}
		return
	}
	path := filepath.Join(t.TempDir(), "a")
	os.WriteFile(path, []byte("old"), 0o666)
	cmd := exec.Command(os.Args[0], "-test.run=TestFullDisk")
	cmd.Env = append(os.Environ(), "ATOMICFILE_TEST_FULL="+filepath.Dir(path))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	only(t, path, "old")
}
