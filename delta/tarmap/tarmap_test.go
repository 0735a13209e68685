package tarmap

import (
	"archive/tar"
	"bytes"
	"strings"
	"testing"
)

// A listing is what a scan found: names, and contents by name.
type listing struct {
	entries  []*Entry
	contents []string
}

func (l *listing) Begin(e *Entry) error {
	l.entries, l.contents = append(l.entries, e), append(l.contents, "")
	return nil
}

func (l *listing) Data(p []byte) error {
	l.contents[len(l.contents)-1] += string(p)
	return nil
}

func (l *listing) Finish() error { return nil }

func scan(t testing.TB, b []byte) *listing {
	t.Helper()
	l := &listing{}
	if err := Scan(bytes.NewReader(b), l); err != nil {
		t.Fatal(err)
	}
	end := int64(0)
	for _, e := range l.entries {
		if e.Start != end || e.Header < e.Start || e.Content < e.Header || e.Size < 0 {
			t.Fatalf("entry %+v begins at %d", e, end)
		}
		end = e.End()
	}
	if end != int64(len(b)) {
		t.Fatalf("entries end at %d of %d", end, len(b))
	}
	return l
}

func sample(t testing.TB) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	long := strings.Repeat("long/", 60) + "name"
	for _, h := range []*tar.Header{
		{Name: "dir/", Typeflag: tar.TypeDir},
		{Name: "dir/file", Size: 5, Format: tar.FormatUSTAR},
		{Name: long, Size: 5, Format: tar.FormatPAX},
		{Name: long + "2", Size: 5, Format: tar.FormatGNU},
		{Name: "link", Linkname: "dir/file", Typeflag: tar.TypeLink},
		{Name: "empty"},
	} {
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			_, _ = w.Write([]byte("12345"))
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestScan(t *testing.T) {
	l := scan(t, sample(t))
	var got []string
	for i, e := range l.entries[:len(l.entries)-1] {
		got = append(got, e.Name[max(0, len(e.Name)-8):]+"="+l.contents[i])
	}
	want := "dir= dir/file=12345 ong/name=12345 ng/name2=12345 link= empty="
	if s := strings.Join(got, " "); s != want {
		t.Errorf("got %s", s)
	}
	if last := l.entries[len(l.entries)-1]; last.Name != "" || last.Size != 1024 {
		t.Errorf("the end is %+v", last)
	}
}

// TestNumbers has all fields that a number may stand in: those of 8 bytes have
// none between the mark of base 256 and the number.
func TestNumbers(t *testing.T) {
	for text, want := range map[string]int64{
		"0000644\x00": 0o644, "   644 \x00": 0o644, "": 0,
		"\x80\x00\x00\x00\x00\x00\x01\x02": 258, "\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x02": 258,
		"\x80\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01\x02": -1, "\xff\xff\xff\xff\xff\xff\xff\xff": -1, "\x80\x00\x00": -1, "9": -1,
	} {
		b := []byte(text)
		if len(b) == 0 {
			b = make([]byte, 8)
		}
		if got, ok := number(b); ok != (want >= 0) || ok && got != want {
			t.Errorf("%q is %d, %v instead of %d", text, got, ok, want)
		}
	}
}

func FuzzScan(f *testing.F) {
	b := sample(f)
	f.Add(b)
	f.Add(b[:700])
	f.Add([]byte("no tar"))
	odd := bytes.Clone(b)
	copy(odd[148:], "\x80\x00\x00\x00\x00\x00\x00\x00")
	f.Add(odd)
	f.Fuzz(func(t *testing.T, b []byte) { scan(t, b) })
}
