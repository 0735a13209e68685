package lang

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/hcl/v2"
	"github.com/opencontainers/go-digest"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestParseLock runs every archive in testdata/lock: "want" is what comes of
// "lock", as diagnostics or in the form that is written.
func TestParseLock(t *testing.T) {
	names, err := filepath.Glob("testdata/lock/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got := parsedLock(t, a.Files[0].Data)
			if *update {
				writeWant(t, name, a, got)
			} else if want := wantOf(a); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func parsedLock(t *testing.T, src []byte) string {
	t.Helper()
	l, diags := ParseLock(src, LockFile)
	var b bytes.Buffer
	files := map[string]*hcl.File{LockFile: {Bytes: src}}
	if err := WriteDiagnostics(&b, diags, files, DiagnosticsOptions{Width: 100}); err != nil {
		t.Fatal(err)
	}
	if !diags.HasErrors() {
		b.Write(l.Encode())
	}
	return b.String()
}

func TestLoadLock(t *testing.T) {
	l, src, diags := LoadLock(fstest.MapFS{})
	if len(l.Entries) != 0 || src != nil || diags.HasErrors() {
		t.Errorf("no file: %v, %q, %v", l, src, diags)
	}
	_, _, diags = LoadLock(fstest.MapFS{LockFile + "/x": {}})
	if !diags.HasErrors() || !strings.Contains(diags[0].Detail, "is a folder") {
		t.Errorf("a folder: %v", diags)
	}
	_, _, diags = LoadLock(fstest.MapFS{LockFile: {Data: make([]byte, maxLockSize+1)}})
	if !diags.HasErrors() || !strings.Contains(diags[0].Detail, "larger than") {
		t.Errorf("a huge file: %v", diags)
	}
}

func TestLockEncoding(t *testing.T) {
	d := digest.FromString("a")
	a := LockEntry{Source: "a", Constraint: "~> 1.0", Version: "1.2.0", Digest: d}
	b := LockEntry{Source: "a", Constraint: "~> 2.0", Version: "v2.2.0", Digest: d}
	c := LockEntry{Source: "b:1", Digest: d}
	one, two := NewLock([]LockEntry{a, b, c}), NewLock([]LockEntry{c, b, a})
	if !one.Equal(two) || !bytes.Equal(one.Encode(), two.Encode()) {
		t.Errorf("the order counts:\n%s%s", one.Encode(), two.Encode())
	}
	if again, _ := ParseLock(one.Encode(), LockFile); !again.Equal(one) {
		t.Errorf("read again it is %v", again)
	}
	formatted, diags := Format(one.Encode(), LockFile)
	if diags.HasErrors() || !bytes.Equal(formatted, one.Encode()) {
		t.Errorf("it is not formatted: %v\n%s", diags, one.Encode())
	}
	c.Digest = digest.FromString("c")
	if one.Equal(NewLock([]LockEntry{a, b, c})) {
		t.Error("another digest makes no difference")
	}
}

// FuzzLock feeds arbitrary lock files: whatever is accepted is the same when it
// is written and read again, and all else has a place.
func FuzzLock(f *testing.F) {
	names, err := filepath.Glob("testdata/lock/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		a, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(a.Files[0].Data)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		l, diags := ParseLock(src, LockFile)
		for _, d := range diags {
			if d.Subject == nil || d.Subject.Filename != LockFile {
				t.Errorf("diagnostic without place: %v", d)
			}
		}
		encoded := l.Encode()
		again, diags := ParseLock(encoded, LockFile)
		if diags.HasErrors() || !again.Equal(l) || !bytes.Equal(again.Encode(), encoded) {
			t.Errorf("%q is another one when read again: %v\n%s", src, diags, encoded)
		}
	})
}
