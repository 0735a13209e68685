package deflate

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	kflate "github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
)

var update = flag.Bool("update", false, "rewrite golden files")

// TestEncodersAreFrozen holds every encoder to the bytes that recipes rely on.
// An encoder whose hashes differ has another output: it needs a number of its
// own in method.go, and the old one goes or is frozen in internal. The golden
// file is extended, and no line of it ever changed.
func TestEncodersAreFrozen(t *testing.T) {
	var got strings.Builder
	contents := samples()
	names := slices.Sorted(maps.Keys(contents))
	for _, m := range methods() {
		h := sha256.New()
		for _, name := range names {
			out := encode(t, m, contents[name])
			h.Write(out)
			if got, err := decode(m, out); err != nil || !bytes.Equal(got, contents[name]) {
				t.Errorf("%s of %s inflates to other content: %v", m, name, err)
			}
		}
		fmt.Fprintf(&got, "%d %d %d %x\n", m.encoder, m.level, m.memLevel, h.Sum(nil))
	}
	lines := strings.SplitAfter(got.String(), "\n")
	slices.Sort(lines)
	const golden = "testdata/encoders.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(strings.Join(lines, "")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if g := strings.Join(lines, ""); g != string(want) {
		t.Errorf("encoders (number, level, memory level) write other bytes than %s says:\n%s\nwant:\n%s", golden, g, want)
	}
}

// methods are all that recipes can name.
func methods() []method { return append(candidates(hint{}), zstdCandidates()...) }

func decode(m method, b []byte) ([]byte, error) {
	if m.encoder != encoderZstd {
		return io.ReadAll(kflate.NewReader(bytes.NewReader(b)))
	}
	d, err := zstd.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return io.ReadAll(d)
}

func encode(t testing.TB, m method, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	e, err := m.open(&out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestEncodersTakePieces checks that it does not matter how content is cut.
func TestEncodersTakePieces(t *testing.T) {
	content := samples()["mixture"]
	for _, m := range methods() {
		var out bytes.Buffer
		e, err := m.open(&out)
		if err != nil {
			t.Fatal(err)
		}
		s := source(11)
		for rest := content; len(rest) > 0; {
			n := min(1+s.below(1+s.below(70_000)), len(rest))
			e.Write(rest[:n])
			rest = rest[n:]
		}
		e.Close()
		if !bytes.Equal(out.Bytes(), encode(t, m, content)) {
			t.Errorf("%s writes other bytes when its content comes in pieces", m)
		}
	}
}

type failingWriter struct{ after int }

func (w *failingWriter) Write(p []byte) (int, error) {
	if w.after -= len(p); w.after < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

func TestEncodersReportFailedWrites(t *testing.T) {
	content := samples()["random"]
	for _, m := range methods() {
		e, err := m.open(&failingWriter{after: 20_000})
		if err != nil {
			t.Fatal(err)
		}
		_, err = e.Write(content)
		if closeErr := e.Close(); err == nil && closeErr == nil {
			t.Errorf("%s does not report that its output failed", m)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	content := slicesOf(samples()["prose"], samples()["table"])
	for _, m := range methods() {
		if m.level != 1 && m.level != 6 && m.level != 9 && m.encoder != encoderZstd || m.memLevel == maxMemLevel {
			continue
		}
		b.Run(m.String(), func(b *testing.B) {
			b.SetBytes(int64(len(content)))
			for b.Loop() {
				e, err := m.open(io.Discard)
				if err != nil {
					b.Fatal(err)
				}
				e.Write(content)
				e.Close()
			}
		})
	}
}
