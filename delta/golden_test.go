package delta

import (
	"bytes"
	"compress/gzip"
	"flag"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/flotobuild/flotobuild/delta/pack"
)

var update = flag.Bool("update", false, "write golden files")

// TestGolden applies deltas that an earlier version made: they are read for
// ever. A failure means that the format has changed, and needs a new version;
// -update adds deltas where there are none.
func TestGolden(t *testing.T) {
	base := filepath.Join("testdata", "base.tar.gz")
	if *update {
		writeGolden(t, base)
	}
	packed, err := os.ReadFile(base)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, name := range []string{"small.delta", "large.delta", "new.delta"} {
		d, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		applied(t, d, layerOf(b))
		look(t, d, seen)
	}
	for o := opLiteral; o <= opEntry; o++ {
		if !seen["operation "+string('0'+o)] {
			t.Errorf("no delta has operation %d", o)
		}
	}
	for c := pack.Stored; c <= pack.Zstd; c++ {
		if !seen["coder "+string('0'+byte(c))] {
			t.Errorf("no delta has coder %d", c)
		}
	}
}

// look notes which operations and coders a delta has.
func look(t *testing.T, d []byte, seen map[string]bool) {
	t.Helper()
	r := bytes.NewReader(d)
	if _, err := readHeader(r); err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	for {
		payload, err := readFrame(r, &buf)
		if err != nil || len(payload) == 0 {
			return
		}
		b, err := parseBlock(payload)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range b.streams[streamKinds] {
			seen["operation "+string('0'+o)] = true
		}
		c := &cursor{b: payload}
		c.uvarint()
		for range streamCount {
			seen["coder "+string('0'+c.byte())] = true
			c.uvarint()
			c.uvarint()
		}
	}
}

// writeGolden makes a base, a target that is much like it, and a larger one.
func writeGolden(t *testing.T, base string) {
	t.Helper()
	v := &release{r: rand.New(rand.NewPCG(70, 8))}
	var layer []file
	for i := range 40 {
		layer = append(layer, v.file(string(rune('a'+i%26))+"/file"))
	}
	v.layers = [][]file{layer}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	b := contentOf(v.tars(t)[0])
	_, _ = z.Write(b)
	_ = z.Close()
	next := v.change()
	for len(next.layers) > 1 {
		next.layers = [][]file{append(next.layers[0], next.layers[1]...)}
	}
	small := contentOf(next.tars(t)[0])
	large := append(bytes.Clone(small), bytes.Repeat(b, 30)...)
	for name, d := range map[string][]byte{
		base:                                     out.Bytes(),
		filepath.Join("testdata", "small.delta"): create(t, small, Options{}, layerOf(b)),
		filepath.Join("testdata", "large.delta"): create(t, large, Options{}, layerOf(b)),
		filepath.Join("testdata", "new.delta"):   create(t, v.text(2<<20), Options{}, layerOf(b)),
	} {
		if err := os.WriteFile(name, d, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func contentOf(l Layer) []byte {
	b := make([]byte, l.Size)
	_, _ = l.Content.ReadAt(b, 0)
	return b
}
