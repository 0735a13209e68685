package legacy

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"

	"github.com/flotobuild/flotobuild/patch/legacy/legacytest"
)

func TestHostileNames(t *testing.T) {
	for name, want := range map[string]string{
		"/etc/passwd": "absolute", "../x": "upwards", "conf/../../x": "upwards", `conf\x`: "backslash", "C:/x": "absolute",
		"conf/a\x00b": "control character", "conf/\xff": "not UTF-8", "conf//x": "shortest form", "conf/.gitignore": "stands twice",
		"conf/.gitignore/x": "which is a file", "./x": "shortest form", strings.Repeat("a", 5000): "more than 4096 bytes",
		"images/../x/layer.tar": "upwards",
	} {
		a, _ := example()
		a.Entries = append(a.Entries, legacytest.Entry{Name: name, Content: "x"})
		_, err := open1(a.Bytes())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: got %v, want %q", name, err, want)
		}
	}
}

func open1(b []byte) (*Reader, error) { return NewReader(bytes.NewReader(b), int64(len(b))) }

func TestHostileDescriptions(t *testing.T) {
	for name, c := range map[string]struct {
		key   string
		value any
		want  string
	}{
		"id a path":       {"id", "../../x", "cannot be a file name"},
		"id empty":        {"id", "", "cannot be a file name"},
		"own parent":      {"parentId", firstID, "its own parent"},
		"image a path":    {"imageMap", map[string]string{"a": "../x"}, "64 hex digits"},
		"image of today":  {"imageMap", map[string]string{"a": "sha256:" + strings.Repeat("0", 64)}, "before version 1.10"},
		"steering image":  {"imageMap", map[string]string{"a\x1b[2J": strings.Repeat("0", 64)}, "control character"},
		"required path":   {"requiredImageIds", []string{"/etc"}, "64 hex digits"},
		"contained path":  {"containedImageIds", []string{".."}, "64 hex digits"},
		"contained twice": {"containedImageIds", []string{strings.Repeat("0", 64), strings.Repeat("0", 64)}, "twice"},
		"steering site":   {"siteName", "a\nb", "control character"},
		"no site":         {"siteName", "", "siteName is empty"},
		"no date":         {"creationDate", nil, "creationDate is missing"},
		"odd date":        {"creationDate", "yesterday", "not like"},
		"far date":        {"creationDate", int64(1) << 60, "in the year"},
		"wrong type":      {"imageMap", "x", "cannot unmarshal"},
		"case alone":      {"ImageMap", map[string]string{}, "case alone"},
	} {
		a, _ := example()
		a.Description[c.key] = c.value
		if _, err := open1(a.Bytes()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// Two entries over the same bytes, and bytes between entries, are refused.
func TestHostilePlaces(t *testing.T) {
	a, _ := example()
	a.Stored = true
	b := a.Bytes()
	central := bytes.Index(b, []byte("PK\x01\x02"))
	second := central + 4 + bytes.Index(b[central+4:], []byte("PK\x01\x02"))
	third := second + 4 + bytes.Index(b[second+4:], []byte("PK\x01\x02"))
	overlap := bytes.Clone(b)
	copy(overlap[third+42:third+46], overlap[second+42:second+46])
	if _, err := open1(overlap); err == nil || !strings.Contains(err.Error(), "entry") {
		t.Errorf("overlap: %v", err)
	}
	if _, err := open1(append([]byte("stowaway"), b...)); err == nil {
		t.Error("bytes in front: no error")
	}
	huge := bytes.Clone(b)
	binary.LittleEndian.PutUint32(huge[third+20:], 1<<32-2)
	binary.LittleEndian.PutUint32(huge[third+24:], 1<<32-2)
	if _, err := open1(huge); err == nil || !strings.Contains(err.Error(), "beyond the end") {
		t.Errorf("huge: %v", err)
	}
	name := bytes.Clone(b)
	name[bytes.Index(name, []byte("conf/.gitignore"))+6] = 'G'
	if _, err := open1(name); err == nil || !strings.Contains(err.Error(), "contradicts") {
		t.Errorf("two names: %v", err)
	}
}

func TestHostileKinds(t *testing.T) {
	zeros := string(make([]byte, 1<<20))
	for name, c := range map[string]struct {
		head zip.FileHeader
		want string
	}{
		"symlink":   {linkHeader(), "is a link"},
		"method":    {zip.FileHeader{Name: "conf/x", Method: 12}, "method 12"},
		"encrypted": {zip.FileHeader{Name: "conf/x", Flags: 1}, "encrypted"},
		"two sizes": {zip.FileHeader{Name: "conf/x", UncompressedSize64: 5, CompressedSize64: 0}, "two sizes"},
		"bomb":      {zip.FileHeader{Name: "conf/x", Method: zip.Deflate, UncompressedSize64: 1 << 40}, "more than deflate can do"},
		"2^32":      {zip.FileHeader{Name: "conf/x", Method: zip.Deflate, UncompressedSize64: 1 << 32}, "more than deflate can do"},
		"folder":    {zip.FileHeader{Name: "conf/x/", UncompressedSize64: 7, CompressedSize64: 7}, "folder with content"},
	} {
		a, _ := example()
		a.Stored = true
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		old := a.Bytes()
		r, err := zip.NewReader(bytes.NewReader(old), int64(len(old)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range r.File {
			w.Copy(f)
		}
		f, err := w.CreateRaw(&c.head)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, zeros[:c.head.CompressedSize64])
		w.Close()
		if _, err := open1(b.Bytes()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func linkHeader() zip.FileHeader {
	h := zip.FileHeader{Name: "conf/x"}
	h.SetMode(0o120777)
	h.ExternalAttrs = 0o120777 << 16
	h.CreatorVersion = 3 << 8
	return h
}

// An entry that unpacks to more than it says ends with an error.
func TestBomb(t *testing.T) {
	a, _ := example()
	b := a.Bytes()
	for at := bytes.Index(b, []byte("PK\x01\x02")); at >= 0; {
		if string(b[at+46:at+46+15]) == "conf/.gitignore" {
			b[at+24]-- // the size in the directory
		}
		next := bytes.Index(b[at+4:], []byte("PK\x01\x02"))
		if next < 0 {
			break
		}
		at += 4 + next
	}
	if check(t, b) == nil {
		t.Error("no error")
	}
}
