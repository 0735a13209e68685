// Package legacytest writes patch files as floto did, for tests.
package legacytest

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// A Layer is one folder of images/.
type Layer struct {
	ID   string
	JSON string
	Tar  []byte
}

// NewLayer makes a layer of one file on top of another, which is nil for the
// lowest. Without a name it has no files.
func NewLayer(below *Layer, name, content string) *Layer {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if name != "" {
		_ = w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), ModTime: time.Unix(1447846685, 0)})
		_, _ = io.WriteString(w, content)
	}
	_ = w.Close()
	sum := sha256.Sum256([]byte(name + "\x00" + content))
	l := &Layer{ID: hex.EncodeToString(sum[:]), Tar: b.Bytes()}
	parent := ""
	if below != nil {
		parent = fmt.Sprintf(`"parent":%q,`, below.ID)
	}
	l.JSON = fmt.Sprintf(`{"id":%q,%s"created":"2015-11-18T11:38:05.717123456Z","container_config":{"Cmd":["/bin/sh","-c","#(nop) ADD %s in /"]},`+
		`"docker_version":"1.9.1","config":{"Env":["PATH=/bin"],"Cmd":["/bin/sh"],"Labels":null},"architecture":"amd64","os":"linux","Size":%d}`, l.ID, parent, name, len(content))
	return l
}

// An Entry is a file of the ZIP; a name with a slash at the end is a folder.
type Entry struct{ Name, Content string }

// A Patch is what goes into a file.
type Patch struct {
	Description map[string]any
	Entries     []Entry // behind VERSION.txt and the description
	Folders     bool    // whether folders have entries
	Stored      bool    // method 0 with sizes in front, instead of a deflated stream
}

// New makes a patch of a site "north". Layers are what it brings, and below
// names those that the parent has; id ends as its generation wrote it.
func New(id, parent string, images map[string]*Layer, layers []*Layer, below ...*Layer) *Patch {
	var required, contained []string
	p := &Patch{}
	for _, l := range layers {
		contained = append(contained, l.ID)
		p.Entries = append(p.Entries,
			Entry{"images/" + l.ID + "/VERSION", "1.0"}, Entry{"images/" + l.ID + "/json", l.JSON}, Entry{"images/" + l.ID + "/layer.tar", string(l.Tar)})
	}
	required = append(required, contained...)
	for _, l := range below {
		required = append(required, l.ID)
	}
	names := make(map[string]string)
	for name, l := range images {
		names[name] = l.ID
	}
	p.Entries = append(p.Entries,
		Entry{"conf/site/north.js", "site('north');\n"}, Entry{"conf/.gitignore", "dist\n"},
		Entry{"conf/.git/config", "[core]\n"}, Entry{"conf/.GIT_DESCRIBE", "2.1.6-16-g31cdcfc-dirty"}, Entry{"conf/.GIT_TIMESTAMP", "2015-11-18T12:00:00"})
	p.Description = map[string]any{
		"creationDate": "2015-11-18T11:38:05.717Z", "id": id, "revision": "plant-2.1.6-16-g31cdcfc-dirty", "name": "plant", "comment": "",
		"siteName": "north", "rootDefinitionFile": "site/north.js", "requiredImageIds": orEmpty(required), "containedImageIds": orEmpty(contained),
		"imageMap": names, "rootImageMap": map[string]string{}, "author": "A. Smith", "producer": "floto 1.0",
	}
	if parent != "" {
		p.Description["parentId"] = parent
	}
	return p
}

func orEmpty(s []string) []string { return append([]string{}, s...) }

// Bytes gives the file.
func (p *Patch) Bytes() []byte {
	description, err := json.Marshal(p.Description)
	if err != nil {
		panic(err)
	}
	return Zip(append([]Entry{{"VERSION.txt", "floto patch v1"}, {"patch-description.json", string(description)}}, p.Entries...), p.Folders, p.Stored)
}

// Zip writes entries one behind the other, as they stand.
func Zip(entries []Entry, folders, stored bool) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	var made []string
	for _, e := range entries {
		dir := ""
		for _, part := range strings.SplitAfter(e.Name, "/") {
			if dir += part; folders && strings.HasSuffix(part, "/") && !slices.Contains(made, dir) {
				made = append(made, dir)
				_, _ = w.CreateHeader(&zip.FileHeader{Name: dir})
			}
		}
		h := &zip.FileHeader{Name: e.Name, Method: zip.Deflate}
		if stored {
			_, _ = create(w, h, e.Content)
			continue
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(f, e.Content)
	}
	_ = w.Close()
	return b.Bytes()
}
