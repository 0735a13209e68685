package verify

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/opencontainers/go-digest"
)

func TestReader(t *testing.T) {
	good := digest.FromString("content")
	broken := errors.New("cable")
	for name, c := range map[string]struct {
		in   io.Reader
		size int64
		d    digest.Digest
		want error
	}{
		"good":    {strings.NewReader("content"), 7, good, nil},
		"empty":   {strings.NewReader(""), 0, digest.FromString(""), nil},
		"short":   {strings.NewReader("conten"), 7, good, ErrShort},
		"long":    {strings.NewReader("contents"), 7, good, ErrLong},
		"content": {strings.NewReader("kontent"), 7, good, ErrContent},
		"slow":    {iotest.OneByteReader(strings.NewReader("content")), 7, good, nil},
		"eager":   {iotest.DataErrReader(strings.NewReader("content")), 7, good, nil},
		"broken":  {io.MultiReader(strings.NewReader("con"), iotest.ErrReader(broken)), 7, good, broken},
		"late":    {io.MultiReader(strings.NewReader("content"), iotest.ErrReader(broken)), 7, good, broken},
		"nothing": {strings.NewReader("x"), 0, digest.FromString(""), ErrLong},
	} {
		b, err := io.ReadAll(NewReader(c.in, "the "+name, c.size, c.d))
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		if err != nil && !strings.Contains(err.Error(), "the "+name) {
			t.Errorf("%s: %v does not name the object", name, err)
		}
		if err == nil && digest.FromBytes(b) != c.d {
			t.Errorf("%s: read %q", name, b)
		}
	}
}

// A caller that asks for exactly the right number of bytes sees the error too.
func TestReadFull(t *testing.T) {
	var b [7]byte
	r := NewReader(strings.NewReader("kontent"), "it", 7, digest.FromString("content"))
	if _, err := io.ReadFull(r, b[:]); !errors.Is(err, ErrContent) {
		t.Errorf("got %v", err)
	}
}

func TestWants(t *testing.T) {
	for _, d := range []digest.Digest{"", "sha256:00", "md5:00", digest.Digest("sha512:" + strings.Repeat("0", 128)), "sha256:../../x"} {
		if _, err := io.ReadAll(NewReader(strings.NewReader(""), "it", 0, d)); err == nil {
			t.Errorf("%q: no error", d)
		}
	}
	if _, err := io.ReadAll(NewReader(strings.NewReader(""), "it", -1, digest.FromString(""))); err == nil {
		t.Error("size -1: no error")
	}
}

func TestCopyStops(t *testing.T) {
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if _, err := Copy(ctx, io.Discard, strings.NewReader("x")); !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("content"), []byte("content"))
	f.Add([]byte("content"), []byte("contents"))
	f.Fuzz(func(t *testing.T, want, got []byte) {
		b, err := io.ReadAll(NewReader(bytes.NewReader(got), "it", int64(len(want)), digest.FromBytes(want)))
		if bytes.Equal(want, got) != (err == nil) {
			t.Errorf("%q for %q: %v", got, want, err)
		}
		if err == nil && !bytes.Equal(b, want) {
			t.Errorf("%q became %q", want, b)
		}
	})
}

func BenchmarkCopy(b *testing.B) {
	data := make([]byte, 16<<20)
	d := digest.FromBytes(data)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := Copy(b.Context(), io.Discard, NewReader(bytes.NewReader(data), "it", int64(len(data)), d)); err != nil {
			b.Fatal(err)
		}
	}
}
