package patch

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/opencontainers/go-digest"
)

func FuzzReader(f *testing.F) {
	b, err := os.ReadFile(newSite(f).initial())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		report, err := Verify(t.Context(), r, VerifyOptions{})
		if report == nil || (err == nil) != (len(report.Problems) == 0) {
			t.Errorf("%+v, %v", report, err)
		}
	})
}

// A sparse file keeps holes where zeros are written.
type sparse struct {
	*os.File
	zeros []byte
}

func (s *sparse) Write(p []byte) (int, error) {
	if len(p) > len(s.zeros) || !bytes.Equal(p, s.zeros[:len(p)]) {
		return s.File.Write(p)
	}
	_, err := s.Seek(int64(len(p)), io.SeekCurrent)
	return len(p), err
}

func (s *sparse) Sync() error          { return nil }
func (s *sparse) Publish(string) error { return nil }
func (s *sparse) Abort()               {}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// Entries above 4 GiB, and those behind them, need ZIP64.
func TestLargeEntry(t *testing.T) {
	if testing.Short() {
		t.Skip("hashes 12 GiB")
	}
	const size = 4<<30 + 1
	zeros := func() io.Reader { return io.LimitReader(zeroReader{}, size) }
	hash := sha256.New()
	io.Copy(hash, zeros())

	s := newSite(t)
	d := s.describe(1, []Image{s.image("control", s.layer("a", "a"))})
	big := Content{Path: "conf/big", Size: size, SHA256: hex.EncodeToString(hash.Sum(nil)), Mode: ModeFile}
	entries := []Content{big}
	for _, c := range d.Flotobuild.Contents {
		if d.generated()[c.Path] == nil {
			entries = append(entries, c)
		}
	}
	d.SetContents(entries)
	f, err := os.Create(filepath.Join(s.dir, "big"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := newWriter(&sparse{f, make([]byte, 1<<20)}, d, nil)
	if err != nil {
		t.Fatal(err)
	}
	for c, ok := w.Next(); ok; c, ok = w.Next() {
		content := zeros()
		if c != big {
			content, _ = s.open(t.Context(), c)
		}
		if err := w.Add(t.Context(), c.Path, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(f, w.off)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(t.Context(), r, VerifyOptions{}); err != nil {
		t.Error(err)
	}
	checkZip64(t, f, w.off)
}

// checkZip64 reads the large entry's local header as a streaming reader does.
func checkZip64(t *testing.T, f *os.File, size int64) {
	z, err := zip.NewReader(f, size)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range z.File {
		if e.Name != "conf/big" {
			continue
		}
		off, err := e.DataOffset()
		if err != nil {
			t.Fatal(err)
		}
		extra := make([]byte, 20)
		f.ReadAt(extra, off-29) // the time's field stands behind
		if le.Uint16(extra) != extraZip64 || le.Uint64(extra[4:]) != e.UncompressedSize64 || le.Uint64(extra[12:]) != e.CompressedSize64 {
			t.Errorf("extra field: %x", extra)
		}
	}
}

// discard is an output without a disk.
type discard struct{ io.Writer }

func (discard) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }
func (discard) ReadAt([]byte, int64) (int, error)      { return 0, io.EOF }
func (discard) Sync() error                            { return nil }
func (discard) Publish(string) error                   { return nil }
func (discard) Abort()                                 {}

func BenchmarkWriter(b *testing.B) {
	s := newSite(b)
	blob := bytes.Repeat([]byte("0123456789abcdef"), 4<<20)
	d := s.describe(1, nil)
	d.SetContents([]Content{NewContent("conf/blob", blob)})
	b.SetBytes(int64(len(blob)))
	for b.Loop() {
		w, err := newWriter(discard{io.Discard}, d, nil)
		if err != nil {
			b.Fatal(err)
		}
		if err := w.Add(b.Context(), "conf/blob", bytes.NewReader(blob)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	s := newSite(b)
	for i := range 4 {
		name := "conf/" + digest.FromString(string(rune(i))).Encoded()
		s.conf[name] = string(bytes.Repeat([]byte(name), 256<<10))
	}
	r := mustOpen(b, s.write(s.describe(1, nil)))
	b.SetBytes(r.Size())
	for b.Loop() {
		if _, err := Verify(b.Context(), r, VerifyOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadHeader(b *testing.B) {
	path := newSite(b).initial()
	for b.Loop() {
		if _, _, err := (Opener{}).header(path); err != nil {
			b.Fatal(err)
		}
	}
}
