package planner

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/flotobuild/flotobuild/patch"
)

func samplePlan(t testing.TB) *Plan {
	t.Helper()
	cfg, facts := plant()
	d, err := Resolve(t.Context(), cfg, facts, Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := Diff([]*patch.Description{have("aachen: app=1 gone=1 | x=1")}, d)
	p.Bind("aachen", patch.ParentRef{ID: "parent.aachen", DescriptionDigest: pinned}, "dist/p.zip")
	return p
}

func TestEncodeDecode(t *testing.T) {
	p := samplePlan(t)
	data, err := Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, p) {
		t.Errorf("decoded plan differs:\n%+v\n%+v", got, p)
	}
	if s := got.Sites[0]; s.Parents[0].DescriptionDigest != pinned || s.ParentFiles[0] != "dist/p.zip" {
		t.Errorf("parent was not bound: %+v", s.Parents)
	}
}

func TestDecodeRefuses(t *testing.T) {
	data, err := Encode(samplePlan(t))
	if err != nil {
		t.Fatal(err)
	}
	replace := func(old, with string) string {
		s := strings.Replace(string(data), old, with, 1)
		if s == string(data) {
			t.Fatalf("nothing to replace: %s", old)
		}
		return s
	}
	for name, c := range map[string]struct{ plan, message string }{
		"empty":             {"", "unexpected end"},
		"truncated":         {string(data[:len(data)/2]), "unexpected end"},
		"no version":        {"{}", "version 0"},
		"newer":             {replace(`"formatVersion": 1`, `"formatVersion": 2`), "version 2"},
		"unknown field":     {replace(`"toolVersion"`, `"toolVersio"`), "unknown field"},
		"trailing data":     {string(data) + "{}", "after top-level"},
		"unknown action":    {replace(`"action": "make"`, `"action": "burn"`), `unknown action "burn"`},
		"wrong order":       {replace(`"address": "image_set.s.image.base"`, `"address": "image_set.s.image.x"`), "depends on"},
		"unknown change":    {replace(`"change": "update"`, `"change": "maybe"`), "unknown change"},
		"null image":        {replace(`"images": [`, `"images": [null,`), "null"},
		"site stands twice": {replace(`"name": "berlin"`, `"name": "aachen"`), "stands twice"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Decode([]byte(c.plan))
			if err == nil || !strings.Contains(err.Error(), c.message) {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := Decode([]byte("{}")); !errors.Is(err, ErrVersion) {
		t.Errorf("got %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	data, err := Encode(samplePlan(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"formatVersion":1}`))
	f.Add([]byte(`{"formatVersion":1,"sites":[null]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Decode(data)
		if err != nil {
			return
		}
		once, err := Encode(p)
		if err != nil {
			t.Fatal(err)
		}
		q, err := Decode(once)
		if err != nil {
			t.Fatalf("cannot decode what was encoded: %v", err)
		}
		if twice, _ := Encode(q); !bytes.Equal(once, twice) {
			t.Fatal("encoding is not stable")
		}
	})
}
