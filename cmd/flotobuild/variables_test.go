package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/flotobuild/flotobuild/lang"
)

func TestReadVariables(t *testing.T) {
	dir := t.TempDir()
	name := func(n string) string { return filepath.Join(dir, n) }
	if err := syscall.Mkfifo(name("pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name("large"), make([]byte, lang.MaxSourceSize+7), 0o644); err != nil {
		t.Fatal(err)
	}
	if b, err := readVariables(name("large")); len(b) != lang.MaxSourceSize+1 || err != nil {
		t.Errorf("large: %d bytes, %v", len(b), err)
	}
	for n, want := range map[string]string{"pipe": "no regular file", "missing": "no such file"} {
		if _, err := readVariables(name(n)); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), n) {
			t.Errorf("%s: %v", n, err)
		}
	}
}

func TestProjectName(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for name, want := range map[string]string{
		"./a.hclvars": "a.hclvars", "../a": "../a", filepath.Join(dir, "sub", "a"): "sub/a", filepath.Dir(dir): filepath.Dir(dir),
	} {
		if got := projectName(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}
