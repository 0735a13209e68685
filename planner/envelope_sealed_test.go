package planner

import (
	"bytes"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

func sealedText(t testing.TB) []byte {
	t.Helper()
	last := testEnvelope().Devices[0].last
	last.FormatVersion = SealedVersion
	b, err := EncodeSealed(last)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Records that could lead out of their folder, or that somebody cut, are none.
func TestDecodeSealed(t *testing.T) {
	good := string(sealedText(t))
	if _, err := DecodeSealed([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"empty":           "",
		"truncated":       good[:len(good)/2],
		"followed":        good + "{}",
		"later version":   strings.Replace(good, `"formatVersion": 1`, `"formatVersion": 2`, 1),
		"outside":         strings.Replace(good, `"envelope.pb"`, `"../envelope.pb"`, 1),
		"the record":      strings.Replace(good, `"envelope.pb"`, `"state.json"`, 1),
		"negative size":   strings.Replace(good, `"size": 1`, `"size": -1`, 1),
		"no digest":       strings.Replace(good, digest.FromString("old").String(), "sha256:../..", 1),
		"something else":  "[]",
		"digest of blobs": strings.Replace(good, `"blobs": {`, `"blobs": [`, 1),
	} {
		if s, err := DecodeSealed([]byte(text)); err == nil {
			t.Errorf("%s: no error, %+v", name, s)
		}
	}
}

// What is read can be written, and is the same then.
func FuzzDecodeSealed(f *testing.F) {
	f.Add(sealedText(f))
	f.Add([]byte(`{"formatVersion":1,"files":[{"path":"a","size":1,"digest":"sha256:00"}]}`))
	f.Add([]byte(`{"formatVersion":1,"created":"2026-01-01T00:00:00Z","blobs":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := DecodeSealed(text)
		if err != nil {
			return
		}
		for _, file := range s.Files {
			if strings.ContainsAny(file.Path, "/\x00") || strings.HasPrefix(file.Path, ".") {
				t.Fatalf("file %q", file.Path)
			}
		}
		first, err := EncodeSealed(s)
		if err != nil {
			t.Fatal(err)
		}
		again, err := DecodeSealed(first)
		if err != nil {
			t.Fatal(err)
		}
		second, err := EncodeSealed(again)
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%s became %s, %v", first, second, err)
		}
	})
}
