package store

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/opencontainers/go-digest"
	"github.com/ulikunitz/xz"
)

// rootfs makes the tar of a small root file system.
func rootfs(t testing.TB, more ...tar.Header) []byte {
	t.Helper()
	headers := append([]tar.Header{
		{Name: "./", Typeflag: tar.TypeDir, Mode: 0o755},
		{Name: "./bin/", Typeflag: tar.TypeDir, Mode: 0o755},
		{Name: "./bin/sh", Typeflag: tar.TypeReg, Mode: 0o4755, Uid: 5, Uname: "ä", Size: 4, ModTime: time.Unix(1e9, 5), Format: tar.FormatPAX},
		{Name: "./bin/ls", Typeflag: tar.TypeLink, Linkname: "./bin/sh"},
		{Name: "./etc/mtab", Typeflag: tar.TypeSymlink, Linkname: "../proc/self/mounts"},
		{Name: "./dev/", Typeflag: tar.TypeDir, Mode: 0o755},
		{Name: "./dev/console", Typeflag: tar.TypeChar, Devmajor: 5, Devminor: 1},
		{Name: "dev/shm/x", Typeflag: tar.TypeReg, Size: 4},
		{Name: "./devices", Typeflag: tar.TypeReg, Size: 4, PAXRecords: map[string]string{"SCHILY.xattr.user.a": "b"}},
		{Name: "./" + strings.Repeat("long/", 50) + "name", Typeflag: tar.TypeReg},
	}, more...)
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		io.CopyN(w, strings.NewReader("data"), h.Size)
	}
	w.Close()
	return b.Bytes()
}

func TestImportRootfs(t *testing.T) {
	s := newStore(t)
	in := rootfs(t)
	for _, c := range []Compression{Zstd, Gzip, None} {
		l, err := s.ImportRootfs(t.Context(), bytes.NewReader(in), c)
		if err != nil {
			t.Fatal(err)
		}
		b, err := s.Blob(t.Context(), l.Descriptor.Digest)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		z, err := Decompress(l.Descriptor.MediaType, io.NewSectionReader(b, 0, b.Size()))
		if err != nil {
			t.Fatal(err)
		}
		plain, err := io.ReadAll(z)
		if err != nil || digest.FromBytes(plain) != l.DiffID {
			t.Errorf("%s: diff id: %v", c, err)
		}
		headers := list(t, plain)
		var names []string
		for _, h := range headers {
			names = append(names, h.Name)
		}
		want := []string{"./", "./bin/", "./bin/sh", "./bin/ls", "./etc/mtab", "./dev/", "./devices", "./" + strings.Repeat("long/", 50) + "name"}
		if !slices.Equal(names, want) {
			t.Errorf("%s: %q", c, names)
		}
		if h := headers[2]; h.Mode != 0o4755 || h.Uid != 5 || h.Uname != "ä" || h.ModTime.UnixNano() != 1e18+5 {
			t.Errorf("header: %+v", h)
		}
		if h := headers[6]; h.PAXRecords["SCHILY.xattr.user.a"] != "b" {
			t.Errorf("header: %+v", h)
		}
	}
}

func list(t *testing.T, b []byte) []*tar.Header {
	var all []*tar.Header
	for r := tar.NewReader(bytes.NewReader(b)); ; {
		h, err := r.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, h)
	}
}

// The same tar gives the same layer, however it is compressed; the blobs are
// the same with every release of the tool.
func TestImportIsStable(t *testing.T) {
	in := rootfs(t)
	forms := map[string]func(io.Writer) (io.WriteCloser, error){
		"gzip": func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil },
		"zstd": func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) },
		"xz":   func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) },
		"none": func(w io.Writer) (io.WriteCloser, error) { return nopCloser{w}, nil },
	}
	golden := map[Compression]string{
		Zstd: "3c0965ee13dcded367893c8ea5fc9a6c068231ba6ab12bf116a4838b9f8a270e",
		Gzip: "3c8a6dec094550ffe41f3712c418f770a7070151f793f62f96705753c4f429d3",
		None: "7cf3b0806509ada2d39ed454aa0e4d95306a712771e4f3434a016edac5963ff4",
	}
	for name, form := range forms {
		var b bytes.Buffer
		w, err := form(&b)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(in)
		w.Close()
		for c, want := range golden {
			l, err := newStore(t).ImportRootfs(t.Context(), bytes.NewReader(b.Bytes()), c)
			if err != nil {
				t.Fatal(err)
			}
			if got := l.Descriptor.Digest.Encoded(); got != want {
				t.Errorf("%s as %s: %s, want %s", name, c, got, want)
			}
		}
		s := newStore(t)
		for _, n := range []int{b.Len()/2 + 1, b.Len()/3 + 1} {
			if _, err := s.ImportRootfs(t.Context(), bytes.NewReader(b.Bytes()[:n]), Zstd); err == nil {
				t.Errorf("%s cut off at %d of %d bytes: no error", name, n, b.Len())
			}
		}
		if l, _ := s.List(); len(l) > 0 {
			t.Errorf("%s: left %v", name, l)
		}
	}
}

func TestImportRefuses(t *testing.T) {
	for want, h := range map[string]tar.Header{
		"leads out of the root":         {Name: "../x", Typeflag: tar.TypeReg},
		"absolute name":                 {Name: "/etc/x", Typeflag: tar.TypeReg},
		"take for a deletion":           {Name: "etc/.wh.x", Typeflag: tar.TypeReg},
		"which leads out":               {Name: "x", Typeflag: tar.TypeLink, Linkname: "a/../../x"},
		"left out as everything below ": {Name: "x", Typeflag: tar.TypeLink, Linkname: "dev/null"},
	} {
		_, err := newStore(t).ImportRootfs(t.Context(), bytes.NewReader(rootfs(t, h)), None)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	for name, in := range map[string]string{"empty": "", "text": strings.Repeat("no tar ", 200), "blocks": string(make([]byte, 1024))} {
		if _, err := newStore(t).ImportRootfs(t.Context(), strings.NewReader(in), None); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := newStore(t).ImportRootfs(t.Context(), bytes.NewReader(rootfs(t)), "lzma"); err == nil {
		t.Error("lzma: no error")
	}
}

func BenchmarkImportRootfs(b *testing.B) {
	var in bytes.Buffer
	w := tar.NewWriter(&in)
	w.WriteHeader(&tar.Header{Name: "a", Typeflag: tar.TypeReg, Size: 16 << 20})
	io.CopyN(w, strings.NewReader(strings.Repeat("some text of a file ", 1<<20)), 16<<20)
	w.Close()
	for _, c := range []Compression{Zstd, Gzip, None} {
		b.Run(string(c), func(b *testing.B) {
			b.SetBytes(int64(in.Len()))
			for b.Loop() {
				if _, err := newStore(b).ImportRootfs(b.Context(), bytes.NewReader(in.Bytes()), c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func FuzzImportRootfs(f *testing.F) {
	f.Add(rootfs(f))
	f.Fuzz(func(t *testing.T, in []byte) {
		var b bytes.Buffer
		if err := filter(t.Context(), &b, bytes.NewReader(in)); err != nil {
			return
		}
		for _, h := range list(t, b.Bytes()) {
			if keep, err := selectEntry(h); !keep || err != nil {
				t.Errorf("%q: %v, %v", h.Name, keep, err)
			}
		}
	})
}
