package executor

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// testOutbox has a new output, one that replaces another, and one that goes.
func testOutbox(t *testing.T) *outbox {
	t.Helper()
	o := &outbox{dir: t.TempDir(), names: []string{"envelopes/a/new", "envelopes/a/old"}, gone: []string{"envelopes/c/stray"}}
	for _, name := range o.names {
		o.write(t, filepath.Join(stagingDir, name), "now")
	}
	o.write(t, "envelopes/a/old", "before")
	o.write(t, "envelopes/c/stray", "before")
	return o
}

// write makes an output of two files.
func (o *outbox) write(t *testing.T, name, text string) {
	t.Helper()
	dir := filepath.Join(o.dir, name)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"envelope.pb", "state.json"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// has gives the text of an output, which both files have; empty where there is
// none.
func (o *outbox) has(t *testing.T, name string) string {
	t.Helper()
	a, err := os.ReadFile(filepath.Join(o.dir, name, "envelope.pb"))
	b, berr := os.ReadFile(filepath.Join(o.dir, name, "state.json"))
	if errors.Is(err, fs.ErrNotExist) && errors.Is(berr, fs.ErrNotExist) {
		return ""
	}
	if err != nil || berr != nil || string(a) != string(b) {
		t.Fatalf("%s is half there: %q and %q, %v, %v", name, a, b, err, berr)
	}
	return string(a)
}

// all gives the texts of the outputs.
func (o *outbox) all(t *testing.T) string {
	t.Helper()
	var out []string
	for _, name := range append(o.names, o.gone...) {
		out = append(out, o.has(t, name))
	}
	return strings.Join(out, ",")
}

// An output that cannot get its place takes the others back.
func TestOutboxTakesBack(t *testing.T) {
	o := testOutbox(t)
	o.gone = append(o.gone, "envelopes/c/missing")
	if err := o.publish(); err == nil {
		t.Fatal("no error")
	}
	o.gone = o.gone[:1]
	if got := o.all(t); got != ",before,before" {
		t.Errorf("after a failure: %s", got)
	}
	if err := o.publish(); err != nil {
		t.Fatal(err)
	}
	if got := o.all(t); got != "now,now," {
		t.Errorf("after success: %s", got)
	}
	if err := o.clean(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{stagingDir, goneDir, "envelopes/c"} {
		if _, err := os.Stat(filepath.Join(o.dir, name)); err == nil {
			t.Errorf("%s stands", name)
		}
	}
}

// Killed after any step, each output is as before or as it should be, and the
// next run cleans up.
func TestOutboxKilled(t *testing.T) {
	for steps, want := range []string{",before,before", "now,before,before", "now,now,before", "now,now,"} {
		o := testOutbox(t)
		todo := []func() error{
			func() error { return o.place(o.names[0]) },
			func() error { return o.place(o.names[1]) },
			func() error { return o.remove(o.gone[0]) },
		}
		for _, do := range todo[:steps] {
			if err := do(); err != nil {
				t.Fatal(err)
			}
		}
		if got := o.all(t); got != want {
			t.Errorf("after %d steps: %s, want %s", steps, got, want)
		}
		next := &outbox{dir: o.dir}
		if err := next.clean(); err != nil {
			t.Fatal(err)
		}
		if got := o.all(t); got != want {
			t.Errorf("after %d steps and the next run: %s, want %s", steps, got, want)
		}
		if hidden, _ := filepath.Glob(filepath.Join(o.dir, "envelopes", ".*")); len(hidden) > 0 {
			t.Errorf("after %d steps %v is left", steps, hidden)
		}
	}
}

// A disk that is full before everything is staged leaves what was there.
func TestOutboxOnFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("cannot mount a small disk: %v", err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	o := &outbox{dir: dir, names: []string{"envelopes/a/old"}}
	o.write(t, "envelopes/a/old", "before")
	source := t.TempDir()
	if err := os.WriteFile(filepath.Join(source, "state.json"), []byte("now"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "filler"), make([]byte, 1<<20), 0o666); !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("the disk takes more than it has: %v", err)
	}
	err := writeOutput(kept{dir: source}, filepath.Join(dir, stagingDir, "envelopes/a/old"), 0o666)
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("got %v", err)
	}
	if err := o.clean(); err != nil {
		t.Fatal(err)
	}
	if got := o.all(t); got != "before" {
		t.Errorf("got %q", got)
	}
}

// What cannot be put back is remembered, so that nobody cleans it away.
func TestOutboxCannotTakeBack(t *testing.T) {
	o := testOutbox(t)
	for _, name := range o.names {
		if err := o.place(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(filepath.Join(o.dir, stagingDir, "envelopes/a")); err != nil {
		t.Fatal(err)
	}
	if err := o.takeBack(); err == nil || len(o.done) != 2 {
		t.Errorf("%d moves stay done, %v", len(o.done), err)
	}
	if got := o.all(t); got != "now,now,before" {
		t.Errorf("the outputs are %s", got)
	}
}
