package site

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/store"
)

// The index of a patch becomes part of the store's: one that does not follow
// from the description would keep everybody from changing the store.
func TestImportWrongIndex(t *testing.T) {
	tests := map[string][2]string{
		"no annotations": {`"annotations"`, `"annotationz"`},
		"no name":        {`image.ref.name"`, `image.ref.nam_"`},
		"other name":     {`:"one"`, `:"two"`},
		"no JSON":        {`"schemaVersion":2,`, `"schemaVersion":2;`},
	}
	for name, lie := range tests {
		t.Run(name, func(t *testing.T) {
			path := newMaker(t).withIndex(lie[0], lie[1])
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s := newSite(t)
			for _, src := range []Source{{Path: path}, {Reader: bytes.NewReader(b), Name: "pipe"}} {
				if _, err := s.Import(t.Context(), src, ImportOptions{}); err == nil || !strings.Contains(err.Error(), patch.IndexEntry) {
					t.Errorf("got %v", err)
				}
				untouched(t, s)
			}
		})
	}
}

// An index of a patch that the disk has damaged keeps nobody from changing the
// store, and the store's index stays whole.
func TestDamagedIndex(t *testing.T) {
	for name, content := range map[string]string{"cut short": "{", "empty": "", "no names": `{"schemaVersion":2,"manifests":[{}]}`} {
		t.Run(name, func(t *testing.T) {
			paths := newMaker(t).chain(2)
			s := newSite(t)
			first := mustImport(t, s, paths[0]).Record.ID
			if err := os.WriteFile(s.path(patchesDir, first, "images", "index.json"), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
			second := mustImport(t, s, paths[1]).Record.ID
			want := make(map[string]bool)
			for _, id := range []string{first, second} {
				want[RefName("control", id)], want[RefName("gateway", id)] = true, true
			}
			checkIndex(t, s, want)
		})
	}
}

// withIndex writes a patch whose images/index.json has one text for another of
// the same length, and is listed so.
func (m *maker) withIndex(good, bad string) string {
	m.t.Helper()
	d := m.describe(0, []patch.Image{m.image("one", m.layer("base", noise(1, 100), store.Gzip))})
	index := m.indexOf(d)
	lie := bytes.Replace(index, []byte(good), []byte(bad), 1)
	if bytes.Equal(lie, index) || len(lie) != len(index) {
		m.t.Fatalf("%q is not in %s, or longer", good, index)
	}
	at := indexContent(d)
	right := *at
	at.SHA256 = digest.FromBytes(lie).Encoded()
	w, err := patch.CreateWith(m.dir, d, patch.CreateOptions{}) // writes the description
	if err != nil {
		m.t.Fatal(err)
	}
	defer w.Abort()
	*at = right
	if err := w.AddAll(m.t.Context(), m.open); err != nil {
		m.t.Fatal(err)
	}
	if err := w.Publish(); err != nil {
		m.t.Fatal(err)
	}
	b, err := os.ReadFile(w.Path())
	if err != nil {
		m.t.Fatal(err)
	}
	b = bytes.ReplaceAll(b, index, lie)
	b = bytes.ReplaceAll(b, checkSum(index), checkSum(lie))
	if err := os.WriteFile(w.Path(), b, 0o644); err != nil {
		m.t.Fatal(err)
	}
	return w.Path()
}

// indexOf gives the images/index.json of a description.
func (m *maker) indexOf(d *patch.Description) []byte {
	m.t.Helper()
	path := m.write(d, patch.CreateOptions{})
	p, err := patch.Open(path)
	if err != nil {
		m.t.Fatal(err)
	}
	defer p.Close()
	r, err := p.Open(patch.IndexEntry)
	if err != nil {
		m.t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(r); err != nil {
		m.t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		m.t.Fatal(err)
	}
	return b.Bytes()
}

func indexContent(d *patch.Description) *patch.Content {
	for n := range d.Flotobuild.Contents {
		if c := &d.Flotobuild.Contents[n]; c.Path == patch.IndexEntry {
			return c
		}
	}
	panic("no index")
}

// checkSum gives a check sum as it stands in a ZIP.
func checkSum(b []byte) []byte { return binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(b)) }
