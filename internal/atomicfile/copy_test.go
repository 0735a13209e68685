package atomicfile

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestCopyFrom(t *testing.T) {
	dir := t.TempDir()
	src, err := Create(dir, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Abort()
	content := bytes.Repeat([]byte("0123456789"), 5<<20) // three pieces
	src.Write(content)
	dst, err := Create(dir, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	dst.Write([]byte("head "))
	var counted int64
	n := int64(len(content) - 4)
	if err := dst.CopyFrom(t.Context(), src, 3, n, func(n int64) { counted += n }); err != nil || counted != n {
		t.Fatalf("%d of %d bytes: %v", counted, n, err)
	}
	dst.Write([]byte(" tail"))
	path := filepath.Join(dir, "a")
	if err := dst.Publish(path); err != nil {
		t.Fatal(err)
	}
	want := "head " + string(content[3:3+n]) + " tail"
	if got, _ := os.ReadFile(path); string(got) != want {
		t.Errorf("%d bytes that are not what was copied; want %d", len(got), len(want))
	}
}

func TestCopyFromBeyondTheEnd(t *testing.T) {
	dir := t.TempDir()
	src, _ := Create(dir, 0o666)
	defer src.Abort()
	src.Write([]byte("short"))
	dst, _ := Create(dir, 0o666)
	defer dst.Abort()
	if err := dst.CopyFrom(t.Context(), src, 3, 10, func(int64) {}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
}

// What is written after Sync is on the disk all the same, and a sync that
// fails is not taken for one.
func TestSync(t *testing.T) {
	f, err := Create(t.TempDir(), 0o666)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Abort()
	syncs, boom := 0, errors.New("boom")
	f.ops.sync = func(*os.File) error { syncs++; return boom }
	if err := f.Sync(); !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
	f.ops.sync = func(*os.File) error { syncs++; return nil }
	for _, write := range []func(){
		func() {},
		func() { f.Write([]byte("x")) },
		func() { f.WriteAt([]byte("y"), 0) },
		func() { f.CopyFrom(t.Context(), f, 0, 1, func(int64) {}) },
	} {
		write()
		for range 2 {
			if err := f.Sync(); err != nil {
				t.Error(err)
			}
		}
	}
	if syncs != 5 {
		t.Errorf("%d syncs; want 5", syncs)
	}
}

func TestLockDir(t *testing.T) {
	dir := t.TempDir()
	unlock, err := LockDir(t.Context(), dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := LockDir(t.Context(), dir, 20*time.Millisecond); !errors.Is(err, ErrLocked) || !bytes.Contains([]byte(err.Error()), []byte("(pid ")) {
		t.Errorf("second lock: %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	boom := errors.New("boom")
	cancel(boom)
	if _, err := LockDir(ctx, dir, time.Minute); !errors.Is(err, boom) {
		t.Errorf("cancelled: %v", err)
	}
	time.AfterFunc(50*time.Millisecond, unlock)
	again, err := LockDir(t.Context(), dir, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	again()
	if entries, _ := os.ReadDir(dir); len(entries) > 0 {
		t.Errorf("the lock left %v", entries)
	}
}
