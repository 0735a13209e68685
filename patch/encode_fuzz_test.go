package patch

import (
	"bytes"
	"testing"
)

// What is read and good can be written, and means the same when it is read
// again.
func FuzzDescription(f *testing.F) {
	s := newSite(f)
	b, err := Encode(s.describe(1, []Image{s.image("control", s.layer("a", "a"))}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	_, two := deltaPatch(f, s)
	f.Add(two.Raw())
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Decode(b)
		if err != nil || d.Check() != nil {
			return
		}
		first, err := Encode(d)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Decode(first)
		if err != nil {
			t.Fatal(err)
		}
		second, err := Encode(again)
		if err != nil || !bytes.Equal(first, second) {
			t.Errorf("%v\n%s\n%s", err, first, second)
		}
		if err := again.Check(); err != nil {
			t.Error(err)
		}
	})
}
