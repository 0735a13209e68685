package delta

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
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
	made := sha256.New()
	for _, name := range goldens {
		d, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		target := applied(t, d, layerOf(b))
		look(t, d, seen)
		made.Write(create(t, target, Options{}, layerOf(b)))
	}
	if got := hex.EncodeToString(made.Sum(nil)); got != createdBy[Version] {
		t.Errorf("deltas of Version %d have changed, to %s: raise Version, so that no older one is taken for one of these", Version, got)
	}
	for o := opLiteral; o <= opEntry; o++ {
		if !seen["operation "+string('0'+o)] {
			t.Errorf("no delta has operation %d", o)
		}
	}
	for c := pack.Stored; c <= pack.RepeatsFast; c++ {
		if !seen["coder "+string('0'+byte(c))] {
			t.Errorf("no delta has coder %d", c)
		}
	}
}

// createdBy holds the SHA-256 of all deltas for the layers of the goldens, by
// Version.
var createdBy = map[int]string{
	2: "a86cab7beb9addecb9c25fa7177d3fafacf3e279c3ca62ac3c38c8543b869578",
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

// goldens are deltas of one base: of a layer that is much like it, and of ones
// with little, more, and nothing but new text.
var goldens = []string{"small.delta", "large.delta", "middle.delta", "new.delta"}

// writeGolden makes the base and all deltas of it.
func writeGolden(t *testing.T, base string) {
	t.Helper()
	var b, small []byte
	for seed := range uint64(1000) {
		b, small = goldenPair(t, seed)
		seen := make(map[string]bool)
		look(t, create(t, small, Options{}, layerOf(b)), seen)
		if seen["operation 3"] && seen["operation 4"] && seen["operation 6"] {
			break
		}
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(b)
	_ = z.Close()
	if err := os.WriteFile(base, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	const size = 60_000
	text := func(content []byte) file {
		return file{Header: tar.Header{Name: "text", Mode: 0o644}, content: content}
	}
	for i, target := range [][]byte{
		small,
		plainTar(t, large(40*size), text(babble(size))),
		plainTar(t, large(20*size), text(steps(size))),
		plainTar(t, text(babble(size))),
	} {
		d := create(t, target, Options{}, layerOf(b))
		if err := os.WriteFile(filepath.Join("testdata", goldens[i]), d, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// large is a file that packs well.
func large(n int) file {
	return file{Header: tar.Header{Name: "large", Mode: 0o644}, content: bytes.Repeat(random(1, 1000), n/1000)}
}

func plainTar(t *testing.T, files ...file) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range files {
		f.Size = int64(len(f.content))
		f.writeTo(t, w, &out)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// goldenPair makes a layer, and another that is much like it.
func goldenPair(t *testing.T, seed uint64) (base, target []byte) {
	t.Helper()
	v := &release{r: rand.New(rand.NewPCG(seed, 8))}
	layer := []file{large(3_000_000)}
	for i := range 40 {
		layer = append(layer, v.file(string(rune('a'+i%26))+"/file"))
	}
	v.layers = [][]file{layer}
	next := v.change()
	return plainTar(t, layer...), plainTar(t, slices.Concat(next.layers...)...)
}

// babble is a text whose letters depend on the two before.
func babble(n int) []byte {
	r := rand.New(rand.NewPCG(70, 8))
	b := []byte("ab")
	for len(b) < n {
		b = append(b, 'a'+(3*b[len(b)-1]+5*b[len(b)-2]+byte(r.IntN(2)))%26)
	}
	return b
}

// steps are bytes that go up by a little, times 7.
func steps(n int) []byte {
	r := rand.New(rand.NewPCG(70, 8))
	b := []byte{1}
	for len(b) < n {
		b = append(b, 7*b[len(b)-1]+byte(r.IntN(4)*r.IntN(4)*r.IntN(4)))
	}
	return b
}
