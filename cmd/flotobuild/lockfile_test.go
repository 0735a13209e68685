package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/lang"
)

// lockProjectFolder is a project folder without a lock file, as read.
func lockProjectFolder(t *testing.T) *project {
	t.Helper()
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	p := &project{dir: dir, dataDir: filepath.Join(dir, ".flotobuild"), root: root, config: &lang.Config{Files: map[string]*hcl.File{}}}
	p.readLock()
	return p
}

func lockOf(content string) *lang.Lock {
	return lang.NewLock([]lang.LockEntry{{Source: "alpine:3", Digest: digest.FromString(content)}})
}

func TestKeepLock(t *testing.T) {
	p := lockProjectFolder(t)
	name := filepath.Join(p.dir, lang.LockFile)
	left := filepath.Join(p.dir, atomicfile.Prefix+"left")
	if err := os.WriteFile(left, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	a := &app{interruptNote: "nothing"}
	if err := a.keepLock(t.Context(), p, lockOf("a"), false); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(name); err != nil || string(b) != string(lockOf("a").Encode()) || !p.lock.Equal(lockOf("a")) {
		t.Errorf("written: %q, %v; read: %v", b, err, p.lock)
	}
	if _, err := os.Stat(left); err == nil {
		t.Error("what a killed one left is still there")
	}
	if a.interruptNote != ": no patch was written" {
		t.Errorf("after an interrupt: %q", a.interruptNote)
	}

	// Another plan that came to the same is no hindrance, any other is.
	other := lockOf("b").Encode()
	if err := os.WriteFile(name, other, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := a.keepLock(t.Context(), p, lockOf("c"), false); err == nil || !strings.Contains(err.Error(), "meanwhile") {
		t.Errorf("changed meanwhile: %v", err)
	}
	if b, _ := os.ReadFile(name); string(b) != string(other) {
		t.Errorf("the other's file is gone: %q", b)
	}
	if err := a.keepLock(t.Context(), p, lockOf("b"), false); err != nil || !p.lock.Equal(lockOf("b")) {
		t.Errorf("the same meanwhile: %v", err)
	}
	if err := a.keepLock(t.Context(), p, &lang.Lock{}, false); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(name); !os.IsNotExist(err) {
		t.Errorf("an empty lock leaves a file: %v", err)
	}
}

// A folder that takes no file is told of, with a hint.
func TestKeepLockFails(t *testing.T) {
	p := lockProjectFolder(t)
	p.dir = filepath.Join(p.dir, "gone")
	err := (&app{}).keepLock(t.Context(), p, lockOf("a"), true)
	h, ok := err.(*hintError) //nolint:errorlint // it is not wrapped
	if !ok || !strings.Contains(err.Error(), "cannot keep what image references were resolved to") || h.hint == "" {
		t.Errorf("got %v", err)
	}
}
