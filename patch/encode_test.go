package patch

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
)

func TestEncodeDecode(t *testing.T) {
	s := newSite(t)
	want := s.describe(1, []Image{s.image("control", s.layer("a", "a"))})
	want.Comment = "<Prüfung & more>"
	b, err := Encode(want)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(b, []byte("{\n  \"creationDate\": \"2026-03-01T11:38:05.717Z\",\n  \"id\": ")) || !bytes.HasSuffix(b, []byte("\n}\n")) {
		t.Errorf("form: %s", b)
	}
	if !bytes.Contains(b, []byte(want.Comment)) || bytes.Contains(b, []byte("null")) || bytes.Contains(b, []byte("parentId")) {
		t.Errorf("content: %s", b)
	}
	got, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestEncodeEmpty(t *testing.T) {
	b, err := Encode(&Description{})
	if err != nil || bytes.Contains(b, []byte("null")) {
		t.Errorf("%s, %v", b, err)
	}
}

func TestDecode(t *testing.T) {
	const ok = `"flotobuild": {"formatVersion": 1, "future": {"a": [1]}}`
	for in, want := range map[string]string{
		`{` + ok + `, "future": true}`:       "",
		`{` + ok + `} `:                      "",
		`{` + ok + `} {}`:                    "something follows",
		`{` + ok:                             "unexpected EOF",
		``:                                   "unexpected EOF",
		`{` + ok + `, "id": 1}`:              "id",
		`{` + ok + `, "id": "a", "id": "b"}`: `"id" stands twice`,
		`{` + ok + `, "imageMap": {"a": "", "a": ""}}`:  `"a" stands twice`,
		`{` + ok + `, "creationDate": "yesterday"}`:     "is not like",
		`{` + ok + `, "x": ` + strings.Repeat("[", 1e5): "nested",
		`{` + ok + `, "id": "a", "ID": "b"}`:            `"id" and "ID" differ in case alone`,
		`{` + ok + `, "x": {"s": 1, "\u017f": 2}}`:      "differ in case alone",
		`{` + ok + `, "imageMap": {"a": "", "A": ""}}`:  "",
		`{"id": "a"}`: "another tool",
		`{"flotobuild": {"formatVersion": 1, "contents": [{"mode": "rwx"}]}}`:     "octal",
		`{"flotobuild": {"formatVersion": 1, "contents": [{"size": 1e99}]}}`:      "size",
		`{"flotobuild": {"formatVersion": 9}}`:                                    "newer flotobuild",
		`{"creationDate": "2015-11-18T12:38:05.7179+01:00", ` + ok + `, "id":""}`: "",
	} {
		_, err := Decode([]byte(in))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%.60s: %v", in, err)
		}
	}
}

func TestNewID(t *testing.T) {
	at := time.Date(2015, 11, 18, 12, 38, 5, 717e6, time.FixedZone("", 3600))
	got := NewID(at, "metascope-deployment-2.1.6-16-g31cdcfc-dirty", "flotodev")
	if got != "2015-11-18T11-38-05.717Z-metascope-deployment-2.1.6-16-g31cdcfc-dirty.flotodev" {
		t.Errorf("got %q", got)
	}
	if got := NewID(at, "a/b:ä", "../x"); got != "2015-11-18T11-38-05.717Z-a-b--...-x" {
		t.Errorf("got %q", got)
	}
}

func TestFileName(t *testing.T) {
	for id, ok := range map[string]bool{
		"2015-1.x": true, "": false, "../x": false, ".x": false, "a/b": false, "ä": false, strings.Repeat("a", 239): true, strings.Repeat("a", 240): false,
	} {
		if name, err := FileName(id); (err == nil) != ok || ok && name != id+Extension {
			t.Errorf("%q: %q, %v", id, name, err)
		}
	}
}

func TestContained(t *testing.T) {
	a, b, c := digest.FromString("a"), digest.FromString("b"), digest.FromString("c")
	required := []digest.Digest{a, b, c}
	one, two := &Description{RequiredImageIDs: []digest.Digest{a, b}}, &Description{RequiredImageIDs: []digest.Digest{b, c}}
	for want, parents := range map[int][]*Description{3: nil, 1: {one}, 2: {one, two}, 0: {{RequiredImageIDs: required}}} {
		if got := Contained(required, parents); len(got) != want || got == nil {
			t.Errorf("with %d parents: %v", len(parents), got)
		}
	}
}

func TestCompare(t *testing.T) {
	names := []string{
		VersionEntry, "manifest/manifest.json", "documents/a", "envelopes/a/b", GitDescribe, "conf/a", LayoutEntry, IndexEntry,
		BlobsDir + "00", DeltasDir + "00", "VERSION.txt2", "future/a",
	}
	for i := range names {
		for j := range names {
			if got := Compare(names[i], names[j]); got < 0 != (i < j) || got > 0 != (i > j) {
				t.Errorf("%q, %q: %d", names[i], names[j], got)
			}
		}
	}
}

func FuzzDecodeDescription(f *testing.F) {
	f.Add([]byte(`{"flotobuild": {"formatVersion": 1}}`))
	f.Add([]byte(`{"creationDate": "2015-11-18T11:38:05.717Z", "imageMap": {"a": "sha256:00"}, "flotobuild": {"formatVersion": 1, "contents": [{"path": "a", "mode": "0755"}]}}`))
	f.Add([]byte(`{"x": {"a": 1.0}, "flotobuild": {"formatVersion": 1, "release": {"y": null}, "contents": [{"path": "a", "z": []}, null, {"z": "\u003c"}]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Decode(b)
		if err != nil {
			return
		}
		if !json.Valid(b) {
			t.Error("this is no JSON")
		}
		d.Check() // must not panic
		once, err := Encode(d)
		if err != nil {
			t.Skip() // years before 0
		}
		again, err := Decode(once)
		if err != nil {
			t.Fatal(err)
		}
		twice, err := Encode(again)
		if err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%s\n%s\n%v", once, twice, err)
		}
	})
}
