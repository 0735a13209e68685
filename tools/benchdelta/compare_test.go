package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestWriteTables(t *testing.T) {
	second := cost{CPU: time.Second, Memory: 5e6}
	methods := []method{{name: "small", reference: true}, {name: "large", reference: true}, {name: "bsdiff"}, {name: ours}}
	rows := []row{
		{Pair: "a", Title: "first", Base: 10e6, New: 20e6, Results: []result{
			{Method: "small", Size: 4e6, Made: 20e6, Create: second, Apply: second},
			{Method: "large", Size: 9e6, Made: 20e6, Create: second, Apply: second},
			{Method: "bsdiff", Skipped: "too large"},
			{Method: ours, Size: 1e6, Made: 30e6, Create: second, Apply: second},
		}},
		{Pair: "b", Title: "second", Base: 10e6, New: 20e6, Results: []result{
			{Method: "small", Size: 5e6}, {Method: "large", Size: 1e6}, {Method: "bsdiff", Size: 2e6}, {Method: ours, Size: 1e6},
		}},
	}
	var b strings.Builder
	writeTables(&b, methods, rows)
	for _, want := range []string{
		"| a | first | 10.0 | 20.0 |",
		"| *small* | 4 | 5 |",
		"| bsdiff | – | 2 |",
		"| R, bytes | 4000000 | 1000000 |",
		"| size/R | 0.25 | 1.00 |",
		"| size/bsdiff | – | 0.50 |",
		"geometric mean 0.50, worst 1.00",
		"| **flotobuild delta** | 20 (5) |",
		"| **flotobuild delta** | 30 (5) |",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the tables lack %q:\n%s", want, b.String())
		}
	}
}

func TestMeasure(t *testing.T) {
	if _, err := exec.LookPath("gzip"); err != nil {
		t.Fatal("no gzip in PATH, which every Debian has")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "old-1.tar")
	if err := os.WriteFile(file, []byte(strings.Repeat("0123456789", 1e6)), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	c, err := measure(context.Background(), []step{{[]string{"gzip", "-9", "-c", file}, out}})
	if err != nil || c.CPU <= 0 || c.Memory <= 0 {
		t.Errorf("%+v, %v", c, err)
	}
	if n, err := size(out); err != nil || n == 0 || n > 1e6 {
		t.Errorf("%d bytes, %v", n, err)
	}
	if _, err := measure(context.Background(), []step{{[]string{"gzip", "-d", "-c", file}, out}}); err == nil {
		t.Error("a command that fails is measured")
	}
}

// TestCompare runs a method that copies, and one that damages.
func TestCompare(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"old-1.tar": "shared", "old-2.tar": "gone", "new-1.tar": "shared", "new-2.tar": "fresh"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	copying := method{
		name:   "copy",
		create: func(f files) []step { return []step{{[]string{"cat", f.new}, f.update}} },
		apply:  func(f files) []step { return []step{{[]string{"cat", f.update}, f.back}} },
	}
	skipped := method{name: "skipped", limit: 1}
	r, err := compare(context.Background(), dir, pair{Name: "x"}, []method{copying, skipped}, false)
	if err != nil || r.Base != 10 || r.New != 5 || r.Results[0].Size != 5 || r.Results[0].Made != 5 || r.Results[1].Skipped == "" {
		t.Errorf("%+v, %v", r, err)
	}
	copying.create = nil // not called: the result is there
	if r, err := compare(context.Background(), dir, pair{Name: "x"}, []method{copying}, true); err != nil || r.Results[0].Size != 5 {
		t.Errorf("again: %+v, %v", r, err)
	}
	copying.create = func(f files) []step { return []step{{[]string{"cat", f.old}, f.update}} }
	if _, err := compare(context.Background(), dir, pair{Name: "x"}, []method{copying}, false); err == nil {
		t.Error("a method that makes something else is counted")
	}
}
