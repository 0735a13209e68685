package sign

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"io"
	"strings"
	"testing"
)

func TestAdd(t *testing.T) {
	message := []byte(`{"id": "x"}`)
	a, pa := generate(t, Ed25519)
	b, pb := generate(t, ECDSA)
	one, err := Add(nil, message, a)
	if err != nil {
		t.Fatal(err)
	}
	two, err := Add(one, message, b)
	if err != nil {
		t.Fatal(err)
	}
	if same, err := Add(two, message, a); err != nil || !bytes.Equal(same, two) {
		t.Errorf("signing again: %q, %v", same, err)
	}
	all, err := Decode(two)
	if err != nil || len(all) != 2 {
		t.Fatalf("%v, %v", all, err)
	}
	if !pa.Verify(message, all[0]) || !pb.Verify(message, all[1]) || pa.Verify(message, all[1]) || pb.Verify(message, all[0]) {
		t.Error("signatures do not fit their keys")
	}
	if pa.Verify([]byte(`{"id": "y"}`), all[0]) || pb.Verify([]byte(`{"id": "y"}`), all[1]) {
		t.Error("signatures fit another message")
	}
	if _, err := Add([]byte("?\n"), message, a); err == nil {
		t.Error("added to what is no signature")
	}
}

func TestAddBounded(t *testing.T) {
	var full []Signature
	for n := range MaxSignatures {
		full = append(full, Signature{byte(n), 1})
	}
	k, _ := generate(t, Ed25519)
	if _, err := Add(Encode(full), nil, k); err == nil || !strings.Contains(err.Error(), "more are not allowed") {
		t.Errorf("got %v", err)
	}
}

// liar signs something else than it was asked to.
type liar struct{ crypto.Signer }

func (l liar) Sign(r io.Reader, _ []byte, o crypto.SignerOpts) ([]byte, error) {
	return l.Signer.Sign(r, make([]byte, 32), o)
}

func TestSignElsewhere(t *testing.T) {
	for _, kind := range []Type{Ed25519, ECDSA} {
		k, public := generate(t, kind)
		s, err := Sign(struct{ crypto.Signer }{k}, []byte("x"))
		if err != nil || !public.Verify([]byte("x"), s) {
			t.Errorf("%s: %v", kind, err)
		}
		if _, err := Sign(liar{k}, []byte("x")); err == nil {
			t.Errorf("%s: a wrong signature was taken", kind)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	long := base64.StdEncoding.EncodeToString(make([]byte, maxBytes+3)) + "\n"
	for text, want := range map[string]string{
		"AQID":                        "no newline",
		"\n":                          "line 1: it is not base64",
		"AQID\n\n":                    "line 2: it is not base64",
		"AQID\r\n":                    "not base64",
		"AQ\rID\n":                    "not base64",
		"AQI\n":                       "not base64",
		"AQJ=\n":                      "not base64",
		" AQID\n":                     "not base64",
		"AQID\nAQID\n":                "stands twice",
		long:                          "longer than a signature",
		strings.Repeat("AQID\n", 100): "stands twice",
	} {
		if _, err := Decode([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
	var many []Signature
	for n := range MaxSignatures + 1 {
		many = append(many, Signature{byte(n), 7})
	}
	if _, err := Decode(Encode(many)); err == nil || !strings.Contains(err.Error(), "more than 64") {
		t.Errorf("many: %v", err)
	}
	if s, err := Decode(nil); s != nil || err != nil {
		t.Errorf("empty: %v, %v", s, err)
	}
}

// What Decode takes has one form only.
func FuzzSignatures(f *testing.F) {
	f.Add([]byte("AQID\n"))
	f.Add([]byte("AQID\nAQIDBA==\n"))
	f.Add([]byte("AQID\r\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Decode(b)
		if err == nil && !bytes.Equal(Encode(s), b) {
			t.Errorf("%q became %q", b, Encode(s))
		}
	})
}
