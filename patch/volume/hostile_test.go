package volume

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An index that lies is refused, whatever it says, and before memory or files
// are made for it.
func TestHostileIndex(t *testing.T) {
	sum := strings.Repeat("ab", sha256.Size)
	good := func() *Index {
		return &Index{Layout: Layout{"a", 10, 4, 3, 1}, SHA256: sum, Digests: []string{sum, sum, sum, sum}, hint: "h"}
	}
	if _, err := decodeIndex(good().encode()); err != nil {
		t.Fatal(err)
	}
	many := func(n int) []string { return strings.Split(strings.Repeat(sum+" ", n-1)+sum, " ") }
	for name, spoil := range map[string]func(x *Index){
		"path":                func(x *Index) { x.Name = "../../etc/passwd" },
		"absolute":            func(x *Index) { x.Name = "/etc/passwd" },
		"backslash":           func(x *Index) { x.Name = `..\a` },
		"dots":                func(x *Index) { x.Name = ".." },
		"empty name":          func(x *Index) { x.Name = "" },
		"NUL":                 func(x *Index) { x.Name = "a\x00b" },
		"escape":              func(x *Index) { x.Name = "a\x1b[2J" },
		"long name":           func(x *Index) { x.Name = strings.Repeat("a", 300) },
		"no bytes":            func(x *Index) { x.Size = 0 },
		"negative":            func(x *Index) { x.Size = -10 },
		"huge":                func(x *Index) { x.Size = 1 << 62 },
		"huge payload":        func(x *Index) { x.Payload = 1 << 62 },
		"overflow":            func(x *Index) { x.Size, x.Payload = 1<<53-1, 1 },
		"no payload":          func(x *Index) { x.Payload = 0 },
		"negative payload":    func(x *Index) { x.Payload = -4 },
		"too few":             func(x *Index) { x.Size = 13 },
		"too many":            func(x *Index) { x.Size = 8 },
		"no data":             func(x *Index) { x.Data, x.Parity = 0, 4 },
		"1000 volumes":        func(x *Index) { x.Size, x.Payload, x.Data, x.Parity, x.Digests = 1000, 1, 1000, 0, many(1000) },
		"257 with parity":     func(x *Index) { x.Size, x.Payload, x.Data, x.Parity, x.Digests = 256, 1, 256, 1, many(257) },
		"digest too short":    func(x *Index) { x.Digests[1] = "ab" },
		"digest a path":       func(x *Index) { x.Digests[1] = "../../" + sum[6:] },
		"upper case":          func(x *Index) { x.Digests[3] = strings.ToUpper(sum) },
		"whole has no digest": func(x *Index) { x.SHA256 = "" },
	} {
		x := good()
		spoil(x)
		if _, err := decodeIndex(x.encode()); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	text := string(good().encode())
	for name, b := range map[string]string{
		"nothing":       "",
		"null":          "null",
		"cut":           text[:len(text)-3],
		"more":          text + "{}",
		"spaces":        text + " ",
		"twice":         strings.Replace(text, `"size": 10`, `"size": 9, "size": 10`, 1),
		"unknown":       strings.Replace(text, `"size": 10`, `"more": 1, "size": 10`, 1),
		"other case":    strings.Replace(text, `"size"`, `"Size"`, 1),
		"float":         strings.Replace(text, `"size": 10`, `"size": 1e1`, 1),
		"beyond int64":  strings.Replace(text, `"size": 10`, `"size": 99999999999999999999`, 1),
		"other format":  strings.Replace(text, format, "flotobuild", 1),
		"newer":         strings.Replace(text, `"formatVersion": 1`, `"formatVersion": 2`, 1),
		"deep":          strings.Repeat("[", 1<<16),
		"not UTF-8":     strings.Replace(text, `"a"`, "\"a\xff\"", 1),
		"list for text": strings.Replace(text, `"a"`, `["a"]`, 1),
	} {
		if _, err := decodeIndex([]byte(b)); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// A footer that lies, under an index that does not.
func TestHostileFooter(t *testing.T) {
	l := &Layout{"a", 10, 4, 3, 1}
	x := newIndex(l)
	index := x.encode()
	good := append([]byte("0123"), x.appendTrailer(index, 0)...)
	if _, err := readTrailer(bytes.NewReader(good), int64(len(good)), make(map[string]*Index)); err != nil {
		t.Fatal(err)
	}
	size := fmt.Sprintf("%08d", len(index))
	for name, c := range map[string][2]string{
		"number 0":          {" d001 ", " d000 "},
		"number beyond":     {" d001 ", " d004 "},
		"parity beyond":     {" d001 ", " p002 "},
		"shorter volume":    {" d001 ", " d003 "},
		"index too long":    {size, "99999999"},
		"index before file": {size, "00009999"},
		"index shorter":     {size, "00000010"},
		"newer":             {footerMagic + "1", footerMagic + "2"},
		"no magic":          {footerMagic, strings.ToUpper(footerMagic)},
		"no digest":         {fmt.Sprintf("%x", sha256.Sum256(index))[:4], "zzzz"},
		"other digest":      {fmt.Sprintf("%x", sha256.Sum256(index))[60:], "0000"},
	} {
		at := bytes.LastIndex(good, []byte(footerMagic))
		b := append(bytes.Clone(good[:at]), bytes.Replace(good[at:], []byte(c[0]), []byte(c[1]), 1)...)
		if bytes.Equal(b, good) {
			t.Fatalf("%s changes nothing", name)
		}
		if _, err := readTrailer(bytes.NewReader(b), int64(len(b)), make(map[string]*Index)); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	longer := append([]byte("x"), good...)
	if _, err := readTrailer(bytes.NewReader(longer), int64(len(longer)), make(map[string]*Index)); err == nil {
		t.Error("a volume with a byte more was taken")
	}
}

// A volume that is cut anywhere is named and restored; one whose footer alone is
// harmed gives its content still.
func TestCutAnywhere(t *testing.T) {
	b := content(900)
	paths := exactly(t, b, 3, 1)
	restore := save(t, paths)
	whole, _ := os.ReadFile(paths[1])
	for n := range len(whole) {
		if n%7 != 0 && n > 20 && n < len(whole)-120 && n != 300 {
			continue
		}
		os.WriteFile(paths[1], whole[:n], 0o666)
		r, _ := check(t, filepath.Dir(paths[0]))
		if r.Whole() || !r.Restorable() || len(r.States[1].Problems) != 1 || r.States[1].OK != (n >= 300) {
			t.Fatalf("cut to %d bytes: %+v", n, r.States[1])
		}
	}
	os.WriteFile(paths[1], whole[:310], 0o666)
	os.Remove(paths[3])
	join(t, filepath.Dir(paths[0]), b)
	restore()
	if r, _ := check(t, filepath.Dir(paths[0])); !r.Whole() {
		t.Errorf("%+v", r)
	}
}

func check(t *testing.T, dir string) (*Report, *Set) {
	t.Helper()
	s, err := Find([]string{dir}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Verify(t.Context(), s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r, s
}

// Every flipped bit of a volume shows in verify and is made up for.
func TestFlips(t *testing.T) {
	b := content(500)
	paths := exactly(t, b, 2, 1)
	for _, path := range paths {
		whole, _ := os.ReadFile(path)
		for at := 0; at < len(whole); at += 13 {
			damaged := bytes.Clone(whole)
			damaged[at] ^= 4
			os.WriteFile(path, damaged, 0o666)
			if r, _ := check(t, filepath.Dir(path)); r.Whole() || !r.Restorable() {
				t.Fatalf("a flip at %d of %s: %+v", at, path, r.States)
			}
		}
		os.WriteFile(path, whole, 0o666)
	}
}

func FuzzTrailer(f *testing.F) {
	for _, l := range []*Layout{{"a", 10, 4, 3, 1}, {"b c", 1, 1, 1, 0}, {"d", 7, 1, 7, 2}} {
		x := newIndex(l)
		for n := range l.Volumes() {
			f.Add(append(make([]byte, l.payload(n)), x.appendTrailer(x.encode(), n)...))
		}
	}
	f.Add([]byte(footerMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		// A digest that fits, so that what is behind it is reached.
		if at := bytes.LastIndex(b, []byte(footerMagic)); at >= 0 && at == len(b)-footerSize {
			var n int
			fmt.Sscanf(string(b[at+len(footerMagic)+7:]), "%d", &n)
			if n >= 0 && n <= at {
				copy(b[len(b)-1-2*sha256.Size:], fmt.Sprintf("%x", sha256.Sum256(b[at-n:at])))
			}
		}
		tr, err := readTrailer(bytes.NewReader(b), int64(len(b)), make(map[string]*Index))
		if err != nil {
			return
		}
		x := tr.index
		if got := x.appendTrailer(x.encode(), tr.number); !bytes.HasSuffix(b, got) || int64(len(b)-len(got)) != x.payload(tr.number) {
			t.Fatalf("%q is taken for volume %d of %+v", b, tr.number, x)
		}
		if filepath.Base(x.FileName(tr.number)) != x.FileName(tr.number) {
			t.Fatalf("%q leaves its folder", x.FileName(tr.number))
		}
	})
}
