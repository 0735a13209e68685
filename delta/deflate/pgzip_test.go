package deflate

import (
	"bytes"
	"testing"

	kpgzip "github.com/klauspost/pgzip"
)

// TestMatchesPgzip compares with the library itself, around the ends of pieces,
// too.
func TestMatchesPgzip(t *testing.T) {
	contents := samples()
	long := bytes.Repeat(slicesOf(prose(40, 500_000), noise(41, 90_000, 256), table(42, 50_000)), 6)
	for _, n := range []int{pgzipPiece - 1, pgzipPiece, pgzipPiece + 1, pgzipPiece + pgzipTail, 2 * pgzipPiece, len(long)} {
		contents[string(rune('a'+len(contents)))] = long[:n]
	}
	for name, content := range contents {
		for level := uint8(minLevel); level <= maxLevel; level++ {
			var want bytes.Buffer
			w, err := kpgzip.NewWriterLevel(&want, int(level))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(content); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if got := encode(t, method{encoderPgzip, level, 0}, content); !bytes.Equal(got, bare(want.Bytes())) {
				t.Errorf("pgzip -%d: %q of %d bytes differs", level, name, len(content))
			}
			if level != 1 && level != 5 { // with Identify as slow as that, the fastest and the default
				continue
			}
			if r, _, ok, err := Identify(t.Context(), want.Bytes(), 1<<30); err != nil || !ok {
				t.Errorf("pgzip -%d: %q of %d bytes: no recipe (%v, %v)", level, name, len(content), r, err)
			}
		}
	}
}
