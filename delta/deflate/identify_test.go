package deflate

import (
	"bytes"
	"context"
	"io"
	"slices"
	"testing"
	"testing/iotest"
)

const noLimit = 1 << 40

// member wraps a method's output as a gzip program does.
func member(t testing.TB, m method, content []byte) []byte {
	t.Helper()
	header := []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, osUnix}
	if m.encoder == encoderGo || m.encoder == encoderKlauspost {
		header[9] = osUnknown
	}
	switch m.level {
	case maxLevel:
		header[8] = flagsSlowest
	case minLevel:
		header[8] = flagsFastest
	}
	s := sum{w: io.Discard}
	s.Write(content)
	return slicesOf(header, encode(t, m, content), gzipTrailer(s.crc, s.n))
}

// mustIdentify checks that a recipe is found and makes the same bytes, after it
// was stored.
func mustIdentify(t *testing.T, compressed, content []byte) *Recipe {
	t.Helper()
	r, got, ok, err := Identify(context.Background(), compressed, noLimit)
	if err != nil || !ok {
		t.Fatalf("no recipe: %v", err)
	}
	if !bytes.Equal(got, content) {
		t.Fatalf("the content has %d bytes and differs, want %d", len(got), len(content))
	}
	if r.Size() != int64(len(content)) {
		t.Errorf("Size is %d, want %d", r.Size(), len(content))
	}
	return mustEncode(t, r, compressed, content)
}

func mustEncode(t *testing.T, r *Recipe, compressed, content []byte) *Recipe {
	t.Helper()
	stored, err := r.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if r, err = ParseRecipe(stored); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := r.Encode(context.Background(), &out, iotest.HalfReader(bytes.NewReader(content))); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), compressed) {
		t.Fatalf("Encode with %s gives other bytes", r)
	}
	return r
}

func TestIdentifyFindsEveryMethod(t *testing.T) {
	for _, name := range []string{"mixture", "short", "empty"} {
		content := samples()[name]
		for _, m := range candidates(hint{}) {
			t.Run(name+" "+m.String(), func(t *testing.T) {
				mustIdentify(t, member(t, m, content), content)
			})
		}
	}
}

func TestIdentifyKeepsFraming(t *testing.T) {
	content := samples()["short"]
	gnu, golang := method{encoderGNU, 9, 0}, method{encoderGo, 6, 0}
	one := member(t, gnu, content)
	named := slices.Clone(one)
	named[3] = flagExtra | flagName | flagComment | flagHeaderCRC
	named = slices.Insert(named, gzipHeaderSize, []byte("\x03\x00abcb\xe4r.txt\x00a comment\x00\x12\x34")...)
	wrong := slices.Clone(one)
	wrong[len(wrong)-1] ^= 1
	for name, c := range map[string]struct {
		compressed []byte
		members    int
	}{
		"name, comment, extra":    {named, 1},
		"wrong trailer":           {wrong, 1},
		"trailer cut off":         {one[:len(one)-5], 1},
		"no trailer":              {one[:len(one)-8], 1},
		"two members":             {slicesOf(one, one), 2},
		"members of two programs": {slicesOf(one, member(t, golang, content), named), 3},
		"zeros behind":            {slicesOf(one, make([]byte, 512)), 1},
		"text behind":             {slicesOf(one, []byte("\x1f\x8b")), 1},
	} {
		t.Run(name, func(t *testing.T) {
			mustIdentify(t, c.compressed, bytes.Repeat(content, c.members))
		})
	}
}

func TestIdentifyRefuses(t *testing.T) {
	content := samples()["prose"]
	good := member(t, method{encoderGNU, 9, 0}, content)
	flipped := slices.Clone(good)
	flipped[len(flipped)/2] ^= 4
	// A final stored block by hand, as no encoder ends a stream of text.
	odd := slicesOf(good[:gzipHeaderSize], []byte{1, 5, 0, 0xfa, 0xff}, []byte("aaaaa"), make([]byte, 8))
	for name, compressed := range map[string][]byte{
		"nothing":         nil,
		"not gzip":        []byte("plain text"),
		"header only":     good[:gzipHeaderSize],
		"cut header":      good[:4],
		"cut":             good[:len(good)/2],
		"a bit flipped":   flipped,
		"other encoder":   odd,
		"endless name":    slicesOf([]byte{0x1f, 0x8b, 8, flagName, 0, 0, 0, 0, 0, 3}, bytes.Repeat([]byte{'n'}, 1<<20)),
		"too much behind": slicesOf(good, make([]byte, maxHeader+1)),
	} {
		t.Run(name, func(t *testing.T) {
			_, _, ok, err := Identify(context.Background(), compressed, noLimit)
			if ok || err != nil {
				t.Errorf("got %v, %v; want no recipe and no error", ok, err)
			}
		})
	}
}

func TestIdentifyHonoursLimit(t *testing.T) {
	content := samples()["zeros"]
	compressed := member(t, method{encoderZlib, 6, 8}, content)
	for limit, want := range map[int64]bool{int64(len(content)): true, int64(len(content)) - 1: false, 0: false} {
		if _, _, ok, err := Identify(context.Background(), compressed, limit); ok != want || err != nil {
			t.Errorf("limit %d: got %v, %v; want %v", limit, ok, err, want)
		}
	}
}

func FuzzIdentify(f *testing.F) {
	for _, m := range []method{{encoderGNU, 9, 0}, {encoderGo, 6, 0}, {encoderZlib, 6, 8}} {
		f.Add(member(f, m, samples()["short"]))
		f.Add([]byte("PK\x03\x04"))
		f.Add(slicesOf(member(f, m, []byte("one")), member(f, m, []byte("two")), []byte("behind")))
	}
	f.Fuzz(func(t *testing.T, compressed []byte) {
		r, content, ok, err := Identify(context.Background(), compressed, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			mustEncode(t, r, compressed, content)
		}
	})
}
