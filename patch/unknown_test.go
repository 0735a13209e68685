package patch

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// withUnknown adds members to every kind of object of a description.
func withUnknown(t testing.TB, b []byte) []byte {
	t.Helper()
	n := 0
	for _, at := range []string{
		`"creationDate":`, `"formatVersion":`, `"address":`, `"platform":`, `"diffId":`, `"path":`, `"descriptionDigest":`,
		`"mediaType":`, `"kind":`,
	} {
		if !bytes.Contains(b, []byte(at)) {
			t.Fatalf("the description has no %s", at)
		}
		n++
		add := `"z` + strings.Repeat("z", n) + `": {"b": 1.50, "a": ["<&>", null]}, "ä` + at[1:len(at)-1] + `: "ä", ` + at
		b = bytes.ReplaceAll(b, []byte(at), []byte(add))
	}
	return b
}

func TestUnknownFields(t *testing.T) {
	s := newSite(t)
	shared := s.layer("a", "a")
	first := mustOpen(t, s.write(s.describe(1, []Image{s.image("control", shared, shared), s.image("gateway", shared)})))
	d := s.describe(2, []Image{s.image("control", shared, s.layer("b", "b"), shared)}, &first.Header)
	b, err := Encode(d)
	if err != nil {
		t.Fatal(err)
	}
	in := withUnknown(t, b)
	got, err := Decode(in)
	if err != nil {
		t.Fatal(err)
	}
	out, err := Encode(got)
	if err != nil {
		t.Fatal(err)
	}
	if !sameJSON(t, in, out) {
		t.Errorf("in:\n%s\nout:\n%s", in, out)
	}
	if bytes.Contains(out, []byte(`\u003c`)) || !bytes.Contains(out, []byte("1.50")) || !bytes.HasSuffix(out, []byte("\n}\n")) {
		t.Errorf("form:\n%s", out)
	}
	again, err := Decode(out)
	if err != nil {
		t.Fatal(err)
	}
	if twice, err := Encode(again); err != nil || !bytes.Equal(twice, out) {
		t.Errorf("encoded twice: %v\n%s", err, twice)
	}
}

// sameJSON compares all members and the numbers as they are written.
func sameJSON(t testing.TB, a, b []byte) bool {
	t.Helper()
	var out [2][]byte
	for i, raw := range [][]byte{a, b} {
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		var v any
		if err := dec.Decode(&v); err != nil {
			t.Fatal(err)
		}
		out[i], _ = json.Marshal(v)
	}
	return bytes.Equal(out[0], out[1])
}

// Members stand with what they belong to, also where lists change.
func TestUnknownMoves(t *testing.T) {
	const in = `{"flotobuild": {"formatVersion": 1, "contents": [{"path": "a", "new": 1}, {"path": "b", "new": 2}, {"path": "b", "new": 3}]}}`
	d, err := Decode([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	d.Flotobuild.Contents = d.Flotobuild.Contents[1:]
	out, err := Encode(d)
	if err != nil {
		t.Fatal(err)
	}
	one, two := strings.Index(string(out), `"new": 2`), strings.Index(string(out), `"new": 3`)
	if one < 0 || two < one || strings.Contains(string(out), `"new": 1`) {
		t.Errorf("%s", out)
	}
}
