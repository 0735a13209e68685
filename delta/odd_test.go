package delta

import (
	"archive/tar"
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

// Forms of entries that archive/tar does not write.
const (
	formUsual     = iota
	formGNUSparse // holes of GNU tar, in the header and blocks behind it
	formPAXSparse // the same as PAX records and a map before the content
	formV7        // a header from before USTAR
	formOdd       // a header whose checksum has spaces, and numbers without zeros
	formCount
)

// odd turns f into an entry that has a rare type or form.
func (v *release) odd(f file) file {
	switch v.r.IntN(9) {
	case 0:
		f.Typeflag, f.Devmajor, f.Devminor = tar.TypeBlock, 8, int64(v.r.IntN(16))
	case 1:
		f.Typeflag = tar.TypeFifo
	case 2:
		f.Typeflag, f.Name = tar.TypeDir, f.Name+"/"
	case 3:
		f.Typeflag, f.Linkname, f.Format = tar.TypeLink, strings.Repeat("l0/", 60)+"file-0", tar.FormatGNU
	case 4:
		f.Format, f.Uid, f.Gid = tar.FormatGNU, 1<<30+v.r.IntN(9), 1<<40 // numbers in base 256
	case 5:
		f.Name = f.Name[:3] + ".wh..wh..opq"
	case 6:
		f.Typeflag, f.PAXRecords = tar.TypeXGlobalHeader, map[string]string{"comment": strings.Repeat("c", v.r.IntN(900)+1)}
		f.Header = tar.Header{Typeflag: f.Typeflag, Name: f.Name, PAXRecords: f.PAXRecords}
	default:
		f.form = 1 + v.r.IntN(formCount-1)
	}
	return f
}

// writeTo appends the entry to out, that w writes to.
func (f *file) writeTo(t testing.TB, w *tar.Writer, out *bytes.Buffer) {
	t.Helper()
	if f.form == formUsual {
		if f.Typeflag == tar.TypeXGlobalHeader {
			f.ModTime = time.Time{} // archive/tar wants none
		}
		if err := w.WriteHeader(&f.Header); err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write(f.content)
		return
	}
	_ = w.Flush()
	out.Write(f.raw())
}

// raw gives the entry's blocks.
func (f *file) raw() []byte {
	var out, body []byte
	h := make([]byte, 512)
	copy(h, "./"+f.Name[:min(len(f.Name), 90)])
	copy(h[100:], fmt.Sprintf("%07o\x00%07o\x00%07o\x00", 0o644, 0, 0))
	copy(h[136:], fmt.Sprintf("%011o\x00", f.ModTime.Unix()))
	h[156] = '0'
	switch f.form {
	case formGNUSparse:
		h[156] = 'S'
		copy(h[257:], "ustar  \x00")
		for i := range 4 {
			copy(h[386+24*i:], fmt.Sprintf("%011o\x00%011o\x00", i*1<<20, len(f.content)/4))
		}
		h[482] = byte(len(f.content) % 2)
		copy(h[483:], fmt.Sprintf("%011o\x00", 1<<24))
		if h[482] == 1 {
			body = append(fmt.Appendf(nil, "%011o\x00%011o\x00", 5<<20, len(f.content)%4), make([]byte, 512-24)...)
		}
	case formPAXSparse:
		records := record("GNU.sparse.major", "1") + record("GNU.sparse.minor", "0") +
			record("GNU.sparse.name", f.Name) + record("GNU.sparse.realsize", "16777216")
		x := bytes.Clone(h)
		x[156] = 'x'
		copy(x[257:], "ustar\x0000")
		out = append(seal(x, len(records)), padded([]byte(records))...)
		copy(h[257:], "ustar\x0000")
		body = padded(fmt.Appendf(nil, "1\n1048576\n%d\n", len(f.content)))
	case formOdd:
		copy(h[257:], "ustar\x0000")
		copy(h[100:], "   644 \x00     0 \x00     0 \x00")
	}
	size := len(f.content)
	if f.form == formPAXSparse {
		size += len(body)
	}
	out = append(append(out, seal(h, size)...), body...)
	return append(out, padded(f.content)...)
}

// seal writes the size and the checksum of a header.
func seal(h []byte, size int) []byte {
	copy(h[124:], fmt.Sprintf("%011o\x00", size))
	copy(h[148:], "        ")
	sum := 0
	for _, c := range h {
		sum += int(c)
	}
	copy(h[148:], fmt.Sprintf("%6o\x00 ", sum))
	return h
}

// record is a PAX record: its own length comes first.
func record(key, value string) string {
	n := len(key) + len(value) + 3
	for len(fmt.Sprint(n))+len(key)+len(value)+3 != n {
		n = len(fmt.Sprint(n)) + len(key) + len(value) + 3
	}
	return fmt.Sprintf("%d %s=%s\n", n, key, value)
}

func padded(b []byte) []byte {
	return append(bytes.Clone(b), make([]byte, -len(b)&511)...)
}

// worn gives what a tar became on its way: whole in most cases.
func (v *release) worn(b []byte) []byte {
	switch v.r.IntN(12) {
	case 0:
		return b[:v.r.IntN(len(b)+1)]
	case 1:
		if len(b) > 0 {
			b[v.r.IntN(len(b))] ^= 0x10
		}
	case 2:
		return append(b, make([]byte, -len(b)&10239)...) // records of 20 blocks
	case 3:
		return b[:max(len(b)-1024, 0)] // without the two last blocks
	case 4:
		return append(b, b[:v.r.IntN(len(b)+1)]...)
	case 5:
		return append(v.bytes(), b...) // nothing is where a block begins
	case 6:
		return v.bytes()
	}
	return b
}

// TestOddEntries says that the forms above are tars, and not only bytes.
func TestOddEntries(t *testing.T) {
	for form := formUsual + 1; form < formCount; form++ {
		f := file{Header: tar.Header{Name: "l0/file", ModTime: time.Unix(1, 0)}, form: form, content: []byte("some content")}
		r := tar.NewReader(bytes.NewReader(append(f.raw(), make([]byte, 1024)...)))
		h, err := r.Next()
		if err != nil || !strings.HasSuffix(h.Name, "l0/file") {
			t.Errorf("form %d: %v, %v", form, h, err)
		}
	}
}
