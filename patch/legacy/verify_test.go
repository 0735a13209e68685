package legacy

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/flotobuild/flotobuild/patch/legacy/legacytest"
)

func TestVerify(t *testing.T) {
	a, b := example()
	first, second := mustRead(t, a.Bytes()), mustRead(t, b.Bytes())
	r, err := Verify(t.Context(), first, VerifyOptions{})
	if err != nil || !r.Complete || r.Layers != 3 || r.Entries != 16 || r.Images != 2 || r.Naming != "date-revision.site" {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err = Verify(t.Context(), second, VerifyOptions{}); err != nil || r.Complete {
		t.Errorf("alone: %+v, %v", r, err)
	}
	if r, err = Verify(t.Context(), second, VerifyOptions{Parents: []*Reader{first}}); err != nil || !r.Complete || r.Naming != "date_name_site" {
		t.Errorf("with its parent: %+v, %v", r, err)
	}
}

func TestVerifyFinds(t *testing.T) {
	cases := map[string]struct {
		spoil func(p *legacytest.Patch)
		want  string
	}{
		"required": {func(p *legacytest.Patch) {
			p.Description["requiredImageIds"] = p.Description["containedImageIds"].([]string)[:1]
		}, "which is not in requiredImageIds"},
		"unneeded":   {func(p *legacytest.Patch) { add(p, "requiredImageIds") }, "no image needs it"},
		"contained":  {func(p *legacytest.Patch) { add(p, "containedImageIds") }, "in containedImageIds and not in the file"},
		"unlisted":   {func(p *legacytest.Patch) { p.Description["containedImageIds"] = []string{} }, "in the file and not in containedImageIds"},
		"not a tar":  {func(p *legacytest.Patch) { p.Entries[2].Content = strings.Repeat("x", 600) }, "no tar file"},
		"loop":       {loop, "below itself"},
		"no root":    {func(p *legacytest.Patch) { p.Description["rootDefinitionFile"] = "y" }, `"conf/y"`},
		"incomplete": {func(p *legacytest.Patch) { p.Entries = p.Entries[3:] }, "in none of the files"},
	}
	for name, c := range cases {
		a, _ := example()
		c.spoil(a)
		_, err := Verify(t.Context(), mustRead(t, a.Bytes()), VerifyOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func add(p *legacytest.Patch, key string) {
	p.Description[key] = append(slices.Clone(p.Description[key].([]string)), strings.Repeat("ab", 32))
}

// loop makes the lowest layer stand on the topmost.
func loop(p *legacytest.Patch) {
	ids := p.Description["containedImageIds"].([]string)
	p.Entries[1].Content = strings.Replace(p.Entries[1].Content, `"created"`, `"parent":"`+ids[2]+`","created"`, 1)
}

// A file that is cut off, or has a flipped bit in what is packed, is refused.
func TestDamage(t *testing.T) {
	a, _ := example()
	for _, a.Stored = range []bool{false, true} {
		b := a.Bytes()
		for n := 0; n < len(b); n += 13 {
			if check(t, b[:n]) == nil {
				t.Fatalf("cut at %d: no error", n)
			}
		}
		for n := 0; n < len(b); n += 5 {
			bad := slices.Clone(b)
			bad[n] ^= 0x10
			if check(t, bad) == nil && !harmless(b, bad) {
				t.Errorf("byte %d: no error", n)
			}
		}
	}
}

// harmless tells whether two files have the same entries with the same content:
// versions, times and attributes of the ZIP may differ, nothing covers them.
func harmless(a, b []byte) bool {
	p, err := NewReader(bytes.NewReader(a), int64(len(a)))
	q, err2 := NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil || err2 != nil || !slices.Equal(p.Entries(), q.Entries()) {
		return false
	}
	for _, name := range p.Entries() {
		if p.files[name].CRC32 != q.files[name].CRC32 || p.files[name].UncompressedSize64 != q.files[name].UncompressedSize64 {
			return false
		}
	}
	return bytes.Equal(p.raw, q.raw)
}

func check(t *testing.T, b []byte) error {
	p, err := NewReader(bytes.NewReader(b), int64(len(b)))
	if err == nil {
		_, err = Verify(t.Context(), p, VerifyOptions{})
	}
	return err
}

func TestOpenOthers(t *testing.T) {
	dir := t.TempDir()
	for name, b := range map[string][]byte{
		"empty": nil, "text": []byte("hello"), "zip": legacytest.Zip([]legacytest.Entry{{Name: "a", Content: "b"}}, false, false),
		"new": legacytest.Zip([]legacytest.Entry{
			{Name: "VERSION.txt", Content: "floto patch v1"}, {Name: "patch-description.json", Content: `{"flotobuild":{"formatVersion":1}}`},
		}, false, true),
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); !IsOther(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open(filepath.Join(dir, "none")); err == nil || IsOther(err) {
		t.Errorf("none: %v", err)
	}
	if _, err := Open(dir); !IsOther(err) {
		t.Errorf("folder: %v", err)
	}
}

func FuzzReader(f *testing.F) {
	a, b := example()
	f.Add(a.Bytes())
	b.Stored = true
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		if r, err := Verify(t.Context(), p, VerifyOptions{}); r == nil || (err == nil) != (len(r.Problems) == 0) {
			t.Errorf("%+v, %v", r, err)
		}
	})
}
