package deflate

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

// recipe makes a recipe of one deflate of n bytes.
func recipe(m method, n int64) *Recipe {
	return &Recipe{parts: []part{{kind: partStream, method: m, length: n}}}
}

func TestEncodeChecksLength(t *testing.T) {
	r := recipe(method{encoderGo, 6, 0}, 10)
	for content, want := range map[string]string{
		"0123456789":  "",
		"012345678":   "bytes are missing",
		"0123456789a": "longer than the 10 bytes",
		"":            "bytes are missing",
	} {
		err := r.Encode(context.Background(), io.Discard, strings.NewReader(content))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: got %v, want %q", content, err, want)
		}
	}
}

func TestEncodeStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := recipe(method{encoderGo, 6, 0}, 10)
	if err := r.Encode(ctx, io.Discard, strings.NewReader("0123456789")); !errors.Is(err, context.Canceled) {
		t.Errorf("after a cancel: %v", err)
	}
	if err := r.Encode(context.Background(), &failingWriter{}, strings.NewReader("0123456789")); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a failed write gives %v", err)
	}
}

func TestUnknownEncoders(t *testing.T) {
	for _, m := range []method{{200, 6, 0}, {encoderGo, 0, 0}, {encoderGNU, 10, 0}, {encoderZlib, 6, 0}, {encoderZlib, 6, 10}, {encoderZstd, 5, 0}} {
		stored, _ := recipe(m, 1).MarshalBinary()
		r, err := ParseRecipe(stored)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Check(); !errors.Is(err, ErrEncoder) {
			t.Errorf("%v is said to be known: %v", m, err)
		}
		if err := r.Encode(context.Background(), io.Discard, strings.NewReader("x")); !errors.Is(err, ErrEncoder) {
			t.Errorf("%v gives %v", m, err)
		}
	}
}

func TestParseRecipeRefuses(t *testing.T) {
	for name, b := range map[string]string{
		"nothing":        "",
		"other version":  "\x02\x00",
		"no count":       "\x01",
		"cut part":       "\x01\x01\x02\x03\x06",
		"cut literal":    "\x01\x01\x00\x05abc",
		"huge literal":   "\x01\x01\x00\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
		"huge count":     "\x01\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
		"unknown kind":   "\x01\x01\x09",
		"negative":       "\x01\x01\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
		"sum too large":  "\x01\x02\x01\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x01\x01",
		"bytes behind":   "\x01\x00\x00",
		"endless number": "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
	} {
		if r, err := ParseRecipe([]byte(b)); err == nil {
			t.Errorf("%s is taken as %v", name, r)
		}
	}
}

func FuzzParseRecipe(f *testing.F) {
	r := &Recipe{parts: []part{
		{kind: partLiteral, literal: []byte("header")},
		{kind: partStream, method: method{encoderZlib, 6, 8}, length: 3},
		{kind: partTrailer},
		{kind: partCopy, length: 3},
	}}
	stored, _ := r.MarshalBinary()
	f.Add(stored)
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseRecipe(b)
		if err != nil {
			return
		}
		again, err := r.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseRecipe(again)
		if err != nil || back.Size() != r.Size() {
			t.Fatalf("%x is stored as %x: %v", b, again, err)
		}
		r.Encode(context.Background(), io.Discard, bytes.NewReader(make([]byte, min(r.Size(), 1<<16))))
	})
}

func FuzzEncode(f *testing.F) {
	f.Add([]byte("some content, some content"), byte(0), byte(20))
	f.Add(bytes.Repeat([]byte("ab"), 500), byte(12), byte(200))
	all := methods()
	f.Fuzz(func(t *testing.T, content []byte, n, times byte) {
		content = bytes.Repeat(content, 1+int(times))
		m := all[int(n)%len(all)]
		got, err := decode(m, encode(t, m, content))
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s inflates to other content: %v", m, err)
		}
	})
}
