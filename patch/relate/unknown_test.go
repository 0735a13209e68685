package relate

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/flotobuild/flotobuild/patch"
)

// What a newer tool wrote of images, files and the patch as such is in a merged
// patch, too, also where what stands beside it has changed.
func TestMergeKeepsUnknownFields(t *testing.T) {
	s := newSite(t)
	one := s.write(release{images: map[string][]string{"a": {"base"}}})
	r := release{images: map[string][]string{"a": {"base", "two"}}, files: map[string]string{"conf/x": "x"}}
	plain := s.write(r, one)
	raw := plain.Raw()
	for _, at := range []string{`"id": "2026`, `"formatVersion": 1`, `"address":`, `"diffId":`, `"path": "conf/x"`} {
		if !bytes.Contains(raw, []byte(at)) {
			t.Fatalf("the description has no %s", at)
		}
		raw = bytes.Replace(raw, []byte(at), []byte(`"future": {"at": [1.0]}, `+at), 1)
	}
	raw = bytes.ReplaceAll(raw, []byte("-plant-2."), []byte("-plant-9."))
	d, err := patch.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	two := s.create(d, r)
	merged := merge(t, "unknown", s, rand.New(rand.NewPCG(1, 1)), []*patch.Reader{one, two}, nil, true)
	if n := strings.Count(string(merged.Raw()), `"future": {`); n != 5 {
		t.Errorf("%d of 5 unknown fields:\n%s", n, merged.Raw())
	}
	if _, err := patch.Verify(t.Context(), merged, patch.VerifyOptions{}); err != nil {
		t.Error(err)
	}
}

func TestCompare(t *testing.T) {
	s := newSite(t)
	images := map[string][]string{"a": {"base"}}
	large := strings.Repeat("0123456789abcdef\n", maxText/17+1)
	a := s.write(release{images: images, files: map[string]string{
		"conf/text": "one\ntwo\n", "conf/end": "x", "conf/nul": "a\x00", "conf/latin": "\xe4", "conf/large": large, "conf/mode": "m", "conf/gone": "g\n",
	}})
	b := s.write(release{
		images: images, modes: map[string]patch.Mode{"conf/mode": patch.ModeExecutable},
		files: map[string]string{
			"conf/text": "one\n2\n", "conf/end": "x\n", "conf/nul": "b", "conf/latin": "ä", "conf/large": large + "more", "conf/mode": "m", "conf/empty": "",
		},
	})
	got := make(map[string]*Text)
	for _, f := range patch.Diff(&a.Header, &b.Header).Files {
		text, err := Compare(a, b, f)
		if err != nil {
			t.Fatal(err)
		}
		got[strings.TrimPrefix(f.Path, "conf/")] = text
	}
	for name, want := range map[string]Text{
		"text": {Added: 1, Removed: 1}, "end": {Added: 1, Removed: 1}, "nul": {Why: "binary"}, "latin": {Why: "binary"},
		"large": {Why: "too large to compare"}, "mode": {}, "gone": {Removed: 1}, "empty": {},
	} {
		text := got[name]
		if text == nil || text.Why != want.Why || text.Added != want.Added || text.Removed != want.Removed {
			t.Errorf("%s: %+v", name, text)
		}
	}
	const want = "--- a/conf/text\n+++ b/conf/text\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n"
	if text := string(got["text"].Unified); text != want {
		t.Errorf("%s", text)
	}
	if !strings.HasPrefix(string(got["gone"].Unified), "--- a/conf/gone\n+++ /dev/null\n") {
		t.Errorf("%s", got["gone"].Unified)
	}
	if len(got) != 8 {
		t.Errorf("%d files", len(got))
	}
}
