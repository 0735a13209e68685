package deflate

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// lookup finds a program that the encoders are compared with.
func lookup(t *testing.T, name string) string {
	t.Helper()
	p, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("hint: install %s, which encoders are compared with", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return p
}

// compare runs a program over all samples and holds its output against that of
// a method. The program writes to standard output.
func compare(t *testing.T, m method, strip func([]byte) []byte, program string, args ...string) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range samples() {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		want, err := exec.Command(program, append(args, file)...).Output()
		if err != nil {
			t.Fatalf("%s %v: %v", program, args, err)
		}
		if got := encode(t, m, content); !bytes.Equal(got, strip(want)) {
			t.Errorf("%s differs from %s %v on %s", m, program, args, name)
		}
	}
}

func bare(gzip []byte) []byte { return gzip[gzipHeaderSize : len(gzip)-gzipTrailerSize] }

func TestMatchesGzip(t *testing.T) {
	program := lookup(t, "gzip")
	for level := uint8(minLevel); level <= maxLevel; level++ {
		compare(t, method{encoderGNU, level, 0}, bare, program, "-nc", fmt.Sprint("-", level))
	}
}

func TestMatchesPigz(t *testing.T) {
	program := lookup(t, "pigz")
	for level := uint8(minLevel); level <= maxLevel; level++ {
		compare(t, method{encoderPigz, level, 0}, bare, program, "-nc", fmt.Sprint("-", level), "-p", "3")
		compare(t, method{encoderPigzOne, level, 0}, bare, program, "-nc", fmt.Sprint("-", level), "-p", "1")
	}
}

// TestMatchesOverManyWindows takes content beyond any buffer.
func TestMatchesOverManyWindows(t *testing.T) {
	content := bytes.Repeat(slicesOf(prose(30, 700_000), noise(31, 90_000, 256), table(32, 50_000)), 40)
	for program, m := range map[string]method{"gzip": {encoderGNU, 6, 0}, "pigz": {encoderPigz, 6, 0}} {
		t.Run(program, func(t *testing.T) {
			cmd := exec.Command(lookup(t, program), "-nc6")
			cmd.Stdin = bytes.NewReader(content)
			want, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(encode(t, m, content), bare(want)) {
				t.Errorf("%s differs from %s on %d bytes", m, program, len(content))
			}
		})
	}
}

// TestMatchesZlib compares with the zlib of Python, all at once, as a start of
// Python takes longer than most samples.
func TestMatchesZlib(t *testing.T) {
	program := lookup(t, "python3")
	const script = `
import hashlib, os, sys, zlib
for name in sorted(os.listdir(sys.argv[1])):
    data = open(os.path.join(sys.argv[1], name), 'rb').read()
    for level in range(1, 10):
        for mem in 1, 8, 9:
            c = zlib.compressobj(level, 8, -15, mem)
            print(name, level, mem, hashlib.sha256(c.compress(data) + c.flush()).hexdigest())`
	dir := t.TempDir()
	contents := samples()
	for name, content := range contents {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command(program, "-c", script, dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		var name, want string
		m := method{encoder: encoderZlib}
		if _, err := fmt.Sscan(line, &name, &m.level, &m.memLevel, &want); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(encode(t, m, contents[name]))); got != want {
			t.Errorf("%s differs from Python's zlib on %s", m, name)
		}
	}
}

// TestMatchesStandardLibrary tells when Go's own encoder changes. What recipes
// use stays frozen; the new one is then another encoder, with its own number in
// method.go, so that layers made with it are recognised too.
func TestMatchesStandardLibrary(t *testing.T) {
	for name, content := range samples() {
		for level := uint8(minLevel); level <= maxLevel; level++ {
			var want bytes.Buffer
			w, err := flate.NewWriter(&want, int(level))
			if err != nil {
				t.Fatal(err)
			}
			w.Write(content)
			w.Close()
			if got := encode(t, method{encoderGo, level, 0}, content); !bytes.Equal(got, want.Bytes()) {
				t.Errorf("compress/flate of this Go writes other bytes than Go 1.19 to 1.26 did for %s at level %d: add its encoder", name, level)
			}
		}
	}
}
