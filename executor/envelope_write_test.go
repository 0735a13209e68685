package executor

import (
	"os"
	"path/filepath"
	"testing"
)

// A folder that cannot get its place takes the others back.
func TestOutboxTakesBack(t *testing.T) {
	o := &outbox{dir: t.TempDir(), folders: []string{"a/new", "a/old", "b/stuck"}}
	write := func(name, text string) {
		t.Helper()
		name = filepath.Join(o.dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range o.folders {
		write(filepath.Join(stagingDir, f, "envelope.pb"), "now")
	}
	write("a/old/envelope.pb", "before")
	write("b", "no folder")
	if err := o.publish(); err == nil {
		t.Fatal("no error")
	}
	if b, err := os.ReadFile(filepath.Join(o.dir, "a/old/envelope.pb")); err != nil || string(b) != "before" {
		t.Errorf("old: %q, %v", b, err)
	}
	if _, err := os.Stat(filepath.Join(o.dir, "a/new")); err == nil {
		t.Error("the new one stands")
	}
	if err := os.Remove(filepath.Join(o.dir, "b")); err != nil {
		t.Fatal(err)
	}
	if err := o.publish(); err != nil {
		t.Fatal(err)
	}
	for _, f := range o.folders {
		if b, err := os.ReadFile(filepath.Join(o.dir, f, "envelope.pb")); err != nil || string(b) != "now" {
			t.Errorf("%s: %q, %v", f, b, err)
		}
	}
	if err := o.clean(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(o.dir, stagingDir)); err == nil {
		t.Error("the staging folder stands")
	}
}
