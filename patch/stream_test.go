package patch

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"
	"testing/iotest"
)

// readStream reads a patch from its beginning to its end.
func readStream(r io.Reader) (map[string]string, error) {
	s, err := NewStream(r)
	if err != nil {
		return nil, err
	}
	out := map[string]string{DescriptionEntry: string(s.Raw()), VersionEntry: VersionText}
	for {
		c, r, err := s.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		out[c.Path] = string(text)
	}
}

// signedPatch is a patch with every kind of entry, and signatures.
func signedPatch(t testing.TB) []byte {
	t.Helper()
	path := newSite(t).initial()
	if _, err := AddSignature(t.Context(), path, func(_, _ []byte) ([]byte, error) { return []byte("c2lnbmF0dXJl\n"), nil }); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestStream(t *testing.T) {
	b := signedPatch(t)
	want, err := unpack(b)
	if err != nil {
		t.Fatal(err)
	}
	got, err := readStream(iotest.OneByteReader(bytes.NewReader(b)))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range want {
		if got[name] != text {
			t.Errorf("entry %q is another one", name)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d entries instead of %d", len(got), len(want))
	}
	s, err := NewStream(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if string(s.Signature()) != "c2lnbmF0dXJl\n" {
		t.Errorf("signature %q", s.Signature())
	}
	for { // entries that nobody reads are checked all the same
		if _, _, err = s.Next(); err != nil {
			break
		}
	}
	if !errors.Is(err, io.EOF) || s.Size() != int64(len(b)) {
		t.Errorf("%d of %d bytes: %v", s.Size(), len(b), err)
	}
}

// What is damaged, cut short or followed by something else is refused: with an
// entry, or with the structure.
func TestStreamDamage(t *testing.T) {
	b := signedPatch(t)
	good, err := unpack(b)
	if err != nil {
		t.Fatal(err)
	}
	signature := bytes.Index(b, []byte("c2lnbmF0dXJl"))
	for class, offsets := range classes(t, b) {
		for n, at := range offsets {
			if len(offsets) > 3 && n%3 > 0 {
				continue // some of each kind are enough here
			}
			bad := bytes.Clone(b)
			bad[at] ^= 1 << (at % 8)
			got, err := readStream(bytes.NewReader(bad))
			if err != nil {
				continue
			}
			// Only the signatures are listed nowhere; who trusts somebody checks them.
			if signature < 0 || at < int64(signature) || at >= int64(signature)+13 {
				t.Errorf("a flipped bit in %s, byte %d, was not noticed", class, at)
			}
			for name, text := range good {
				if got[name] != text {
					t.Errorf("%s: entry %q has another content", class, name)
				}
			}
		}
	}
	for n := 0; n < len(b); n += 1 + n%41 {
		if _, err := readStream(bytes.NewReader(b[:n])); err == nil {
			t.Fatalf("%d of %d bytes are enough", n, len(b))
		}
	}
}

func TestStreamReadError(t *testing.T) {
	b := signedPatch(t)
	for _, n := range []int{0, 10, 100, len(b) / 2, len(b) - 30} {
		_, err := readStream(io.MultiReader(bytes.NewReader(b[:n]), iotest.ErrReader(os.ErrDeadlineExceeded)))
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

func FuzzStream(f *testing.F) {
	b := signedPatch(f)
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := readStream(bytes.NewReader(b))
		if err != nil {
			return
		}
		s, err := NewStream(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		for {
			if _, _, err = s.Next(); err != nil {
				break
			}
		}
		want, err := unpack(b[:s.Size()])
		if err != nil {
			t.Fatal(err) // a stream must not take what a file may not be
		}
		for name, text := range want {
			if got[name] != text {
				t.Errorf("entry %q is another one", name)
			}
		}
	})
}
