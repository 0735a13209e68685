package patch

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"testing"
)

// unpack reads all entries as an import does, without Verify, up to the first
// error.
func unpack(b []byte) (map[string]string, error) {
	r, err := NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, err
	}
	out := map[string]string{DescriptionEntry: string(r.Raw())}
	for _, c := range r.Description.Flotobuild.Contents {
		e, err := r.Open(c.Path)
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(e)
		if err != nil {
			return nil, err
		}
		out[c.Path] = string(text)
	}
	return out, nil
}

// noticed demands that Verify refuses a damaged file, and that who unpacks it
// without Verify fails or gets the very same content.
func noticed(t *testing.T, what string, bad []byte, good map[string]string) {
	t.Helper()
	if check(t, bad) == nil {
		t.Errorf("%s: Verify has not noticed", what)
	}
	got, err := unpack(bad)
	if err != nil {
		return
	}
	for name, text := range good {
		if got[name] != text {
			t.Errorf("%s: entry %q has another content", what, name)
		}
	}
	if len(got) != len(good) {
		t.Errorf("%s: %d entries instead of %d", what, len(got), len(good))
	}
}

// classes names the offsets of each kind of byte in a patch: each byte of each
// record of the ZIP, and some of each entry's data.
func classes(t *testing.T, b []byte) map[string][]int64 {
	r, err := NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string][]int64)
	span := func(class string, from, to int64) {
		for at := from; at < to; at++ {
			out[class] = append(out[class], at)
		}
	}
	var end int64
	for _, e := range r.records {
		data := e.offset + int64(len(e.local()))
		end = data + e.packed
		span("local header of "+e.name, e.offset, e.offset+localLen)
		span("name in the local header of "+e.name, e.offset+localLen, e.offset+localLen+int64(len(e.name)))
		span("extra fields in the local header of "+e.name, e.offset+localLen+int64(len(e.name)), data)
		if e.packed > 0 {
			out["data of "+e.name] = []int64{data, data + e.packed/2, end - 1}
		}
	}
	for _, e := range r.records {
		n := int64(len(e.central()))
		span("directory entry of "+e.name, end, end+n)
		end += n
	}
	span("end record", end, int64(len(b)))
	return out
}

func TestEveryClassOfByte(t *testing.T) {
	b := mustReadFile(t, newSite(t).initial())
	good, err := unpack(b)
	if err != nil {
		t.Fatal(err)
	}
	masks := 2
	if testing.Short() {
		masks = 1
	}
	for class, offsets := range classes(t, b) {
		for _, at := range offsets {
			for _, bits := range []byte{1 << (at % 8), 0xff}[:masks] {
				bad := bytes.Clone(b)
				bad[at] ^= bits
				noticed(t, class, bad, good)
			}
		}
	}
}

func TestRandomFlips(t *testing.T) {
	b := mustReadFile(t, newSite(t).initial())
	good, err := unpack(b)
	if err != nil {
		t.Fatal(err)
	}
	flips := 10_000
	if testing.Short() {
		flips = 500
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range flips {
		bad := bytes.Clone(b)
		for range 1 + random.IntN(3) {
			bad[random.IntN(len(bad))] ^= byte(1 + random.IntN(255))
		}
		if !bytes.Equal(bad, b) {
			noticed(t, "random flips", bad, good)
		}
	}
}

// A file that lost its end, at any multiple of 64 KiB, is refused when it is
// opened, before anything is read from it.
func TestTruncatedAt64KiB(t *testing.T) {
	s := newSite(t)
	random := rand.New(rand.NewPCG(3, 4))
	noise := make([]byte, 3<<20)
	for n := range noise {
		noise[n] = byte(random.Uint32())
	}
	b := mustReadFile(t, s.write(s.describe(1, []Image{s.image("control", s.layer("a", string(noise)))})))
	for n := 0; n < len(b); n += 64 << 10 {
		if _, err := NewReader(bytes.NewReader(b[:n]), int64(n)); err == nil {
			t.Errorf("cut at %d of %d bytes: not noticed", n, len(b))
		}
	}
}

func mustReadFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
