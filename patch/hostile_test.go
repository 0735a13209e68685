package patch

import (
	"bytes"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/klauspost/compress/flate"
	"github.com/opencontainers/go-digest"
)

// A forged entry can be what the Writer refuses.
type forged struct {
	name, data string
	mode       Mode
}

// forge makes a ZIP of entries, without any check.
func forge(d *Description, entries []forged) []byte {
	var b []byte
	var records []*record
	for _, e := range entries {
		r := &record{
			name: e.name, mode: e.mode, modified: d.CreationDate.Time, crc: crc32.ChecksumIEEE([]byte(e.data)),
			size: int64(len(e.data)), packed: int64(len(e.data)), offset: int64(len(b)),
		}
		records = append(records, r)
		b = append(append(b, r.local()...), e.data...)
	}
	return append(b, directory(records, int64(len(b)))...)
}

// forgery gives a description and its entries for a test to spoil.
func forgery(t *testing.T) (*Description, []forged) {
	s := newSite(t)
	d := s.describe(1, []Image{s.image("control", s.layer("a", "a"))})
	return d, s.forged(d)
}

func (s *site) forged(d *Description) []forged {
	var entries []forged
	for _, c := range d.Flotobuild.Contents {
		data := s.conf[c.Path]
		if b, ok := s.blobs[c.Digest()]; ok {
			data = string(b)
		}
		if b, ok := d.generated()[c.Path]; ok {
			data = string(b)
		}
		entries = append(entries, forged{c.Path, data, c.Mode})
	}
	return entries
}

// withDescription puts the description behind VERSION.txt.
func withDescription(t *testing.T, d *Description, entries []forged) []forged {
	b, err := Encode(d)
	if err != nil {
		t.Fatal(err)
	}
	return append([]forged{entries[0], {DescriptionEntry, string(b), ModeFile}}, entries[1:]...)
}

func TestHostile(t *testing.T) {
	// list adds an entry to the ZIP and to the description, at the place that
	// the order wants.
	list := func(name, data string, mode Mode) func(*Description, *[]forged) {
		return func(d *Description, e *[]forged) {
			c := NewContent(name, []byte(data))
			c.Mode = mode
			d.Flotobuild.Contents = append([]Content{d.Flotobuild.Contents[0], c}, d.Flotobuild.Contents[1:]...)
			*e = append([]forged{(*e)[0], {name, data, mode}}, (*e)[1:]...)
		}
	}
	add := func(name string) func(*Description, *[]forged) {
		return func(_ *Description, e *[]forged) { *e = append(*e, forged{name, "x", ModeFile}) }
	}
	cases := map[string]struct {
		spoil func(d *Description, e *[]forged)
		want  string
	}{
		"nothing":        {func(*Description, *[]forged) {}, ""},
		"extra":          {add("conf/extra"), `"conf/extra" is not listed`},
		"duplicate":      {add("conf/plant.hcl"), `"conf/plant.hcl" stands twice`},
		"second head":    {add(DescriptionEntry), "stands twice"},
		"upwards":        {add("conf/../../x"), "leads upwards"},
		"absolute":       {add("/etc/passwd"), "is absolute"},
		"drive":          {add("C:x"), "is absolute"},
		"backslash":      {add(`conf\x`), "backslash"},
		"NUL":            {add("conf/x\x00"), "control character"},
		"not UTF-8":      {add("conf/\xff"), "not UTF-8"},
		"folder":         {add("conf/x/"), "shortest form"},
		"listed upwards": {list("manifest/../../x", "x", ModeFile), "leads upwards"},
		"listed deep":    {list("conf/plant.hcl/x", "x", ModeFile), ""},
		"link out":       {list("conf/-", "../../etc/passwd", ModeSymlink), "leaves conf/"},
		"link absolute":  {list("conf/-", "/etc/passwd", ModeSymlink), "must be relative"},
		"link tricky":    {list("conf/-", "a/../../x", ModeSymlink), "may only begin"},
		"link elsewhere": {list("manifest/-", "x", ModeSymlink), "conf/ only"},
		"setuid":         {list("conf/-", "x", 0o4755), "mode 4755"},
		"unlisted size":  {func(d *Description, _ *[]forged) { d.Flotobuild.Contents[1].Size++ }, "the description says"},
		"unlisted mode":  {func(_ *Description, e *[]forged) { (*e)[1].mode = ModeExecutable }, "has mode"},
		"missing entry":  {func(_ *Description, e *[]forged) { *e = (*e)[:len(*e)-1] }, "missing in the file"},
		"changed": {func(_ *Description, e *[]forged) {
			last := &(*e)[len(*e)-1]
			last.data = strings.Repeat("x", len(last.data))
		}, "is damaged"},
		"order": {func(_ *Description, e *[]forged) { (*e)[1], (*e)[2] = (*e)[2], (*e)[1] }, "belongs"},
		"stray blob": {func(d *Description, e *[]forged) {
			c := NewBlobContent(digest.FromString("x"), 1)
			entries := append(d.Flotobuild.Contents, c)
			d.Flotobuild.Contents = nil
			for _, c := range entries {
				if d.generated()[c.Path] == nil {
					d.Flotobuild.Contents = append(d.Flotobuild.Contents, c)
				}
			}
			d.SetContents(d.Flotobuild.Contents)
		}, "belongs to no image"},
		"unneeded id": {func(d *Description, _ *[]forged) {
			d.RequiredImageIDs = append(d.RequiredImageIDs, digest.FromString("x"))
		}, "requiredImageIds"},
		"hidden image":  {func(d *Description, _ *[]forged) { d.ImageMap["ghost"] = d.ImageMap["control"] }, "imageMap"},
		"steering site": {func(d *Description, _ *[]forged) { d.SiteName = "n\x1b[2J" }, "siteName"},
		"steering id":   {func(d *Description, _ *[]forged) { d.ID = "a\nb" }, "holds a control character"},
		"path as id":    {func(d *Description, _ *[]forged) { d.ID = "../../etc/cron.d/x" }, "cannot be a file name"},
		"hidden id":     {func(d *Description, _ *[]forged) { d.ID = ".x" }, "cannot be a file name"},
		"long id":       {func(d *Description, _ *[]forged) { d.ID = strings.Repeat("x", 300) }, "more than 255 bytes"},
		"path as digest": {func(d *Description, _ *[]forged) {
			d.Flotobuild.Images[0].Manifests[0].Layers[0].DiffID = "sha256:../../x"
		}, "digest"},
		"other digest": {func(d *Description, _ *[]forged) {
			d.Flotobuild.Images[0].Manifests[0].Layers[0].DiffID = digest.Digest("sha512:" + strings.Repeat("0", 128))
		}, "digest"},
		"negative size": {func(d *Description, _ *[]forged) { d.Flotobuild.Contents[1].Size = -1 }, "size -1"},
		"path as parent": {func(d *Description, _ *[]forged) {
			d.ParentID = "../x"
			d.Flotobuild.Parents = []ParentRef{{ID: "../x", DescriptionDigest: digest.FromString("x")}}
		}, "cannot be a file name"},
		"no root":       {func(d *Description, _ *[]forged) { d.RootDefinitionFile = "" }, "rootDefinitionFile is empty"},
		"other root":    {func(d *Description, _ *[]forged) { d.RootDefinitionFile = "x.hcl" }, `"conf/x.hcl", which rootDefinitionFile names`},
		"newer":         {func(d *Description, _ *[]forged) { d.Flotobuild.FormatVersion = 3 }, "newer flotobuild"},
		"not so new":    {func(d *Description, _ *[]forged) { d.Flotobuild.FormatVersion = 2 }, "formatVersion is 2 instead of 1"},
		"other tool":    {func(d *Description, _ *[]forged) { d.Flotobuild.FormatVersion = 0 }, "another tool"},
		"wrong diff id": {wrongDiffID, "diff id"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d, entries := forgery(t)
			c.spoil(d, &entries)
			b := forge(d, withDescription(t, d, entries))
			err := check(t, b)
			switch {
			case name == "listed deep":
				if err == nil {
					t.Error("no error")
				}
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// wrongDiffID claims another diff id everywhere but in the config.
func wrongDiffID(d *Description, _ *[]forged) {
	l := &d.Flotobuild.Images[0].Manifests[0].Layers[0]
	l.DiffID = digest.FromString("other")
	d.Flotobuild.Transport[0].DiffID = l.DiffID
	d.RequiredImageIDs = Required(d.Flotobuild.Images)
	d.ContainedImageIDs = d.RequiredImageIDs
}

func check(t *testing.T, b []byte) error {
	r, err := NewReader(bytes.NewReader(b), int64(len(b)))
	if err == nil {
		_, err = Verify(t.Context(), r, VerifyOptions{})
	}
	return err
}

// Another VERSION.txt, and a compressed one, are read for what they say.
func TestOtherVersions(t *testing.T) {
	for _, c := range []struct {
		text    string
		deflate bool
		want    string
	}{
		{VersionText, true, DescriptionEntry},
		{"floto patch v12.1", false, `"floto patch v12.1", and only`},
		{"floto patch v2", true, `"floto patch v2", and only`},
		{strings.Repeat("x", maxVersion+1), false, "65 bytes"},
	} {
		r := &record{name: VersionEntry, mode: ModeFile, crc: crc32.ChecksumIEEE([]byte(c.text)), size: int64(len(c.text)), packed: int64(len(c.text))}
		data := []byte(c.text)
		if c.deflate {
			var b bytes.Buffer
			w, err := flate.NewWriter(&b, flate.BestCompression)
			if err != nil {
				t.Fatal(err)
			}
			w.Write(data)
			w.Close()
			data, r.method, r.packed = b.Bytes(), methodDeflate, int64(b.Len())
		}
		_, err := ReadHeader(bytes.NewReader(append(r.local(), data...)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.text, err)
		}
	}
}

func TestFileBelowFile(t *testing.T) {
	s := newSite(t)
	s.conf["conf/a"], s.conf["conf/a-b"], s.conf["conf/a/b"] = "", "", ""
	_, err := Create(s.dir, s.describe(1, nil))
	if err == nil || !strings.Contains(err.Error(), `below "conf/a"`) {
		t.Errorf("got %v", err)
	}
}

// A description that unpacks to more than it says is cut off.
func TestDescriptionBomb(t *testing.T) {
	d, _ := forgery(t)
	version := forge(d, []forged{{VersionEntry, VersionText, ModeFile}})
	r := &record{name: DescriptionEntry}
	packed, err := r.deflate(make([]byte, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	r.size = 10
	b := append(version[:localLen+len(VersionEntry)+9+len(VersionText)], r.local()...)
	_, err = ReadHeader(bytes.NewReader(append(b, packed...)))
	if err == nil || !strings.Contains(err.Error(), "10 bytes announced") {
		t.Errorf("got %v", err)
	}
}

func TestCheckLink(t *testing.T) {
	for target, ok := range map[string]bool{
		"b": true, "../b": true, "./b/c": true, "..": true, "../d/e": true,
		"": false, "/b": false, "../../b": false, "b/..": false, "../..": false, "../conf/../../b": false, "b\x00": false, `\b`: false,
	} {
		if err := CheckLink("conf/a/link", target); (err == nil) != ok {
			t.Errorf("%q: %v", target, err)
		}
	}
}
