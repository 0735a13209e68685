package site

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/sign"
	"github.com/flotobuild/flotobuild/store"
)

// untouched fails where a refused import has left anything.
func untouched(t *testing.T, s *Site) {
	t.Helper()
	all, err := s.List(t.Context())
	if err != nil || len(all) != 0 {
		t.Errorf("patches: %+v, %v", all, err)
	}
	if l := leaks(t, s); len(l) > 0 {
		t.Errorf("left: %q", l)
	}
}

// Every flipped bit ends in a refusal that leaves nothing, or was in bytes that
// nothing is taken from.
func TestImportDamaged(t *testing.T) {
	m := newMaker(t)
	path := m.chain(1)[0]
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t)
	for at := 0; at < len(good); at += 61 + at%131 {
		bad := bytes.Clone(good)
		bad[at] ^= 1 << (at % 8)
		name := filepath.Join(t.TempDir(), "bad")
		if err := os.WriteFile(name, bad, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Import(t.Context(), Source{Reader: bytes.NewReader(bad), Name: "pipe"}, ImportOptions{}); err == nil {
			t.Fatalf("byte %d: a pipe was taken", at)
		}
		if _, err := s.Import(t.Context(), Source{Path: name}, ImportOptions{}); err != nil {
			untouched(t, s)
			continue
		}
		sound(t, s)
		s = newSite(t)
	}
	s = newSite(t)
	if _, err := s.Import(t.Context(), Source{Reader: bytes.NewReader(append(good, 0)), Name: "pipe"}, ImportOptions{}); err == nil {
		t.Error("a byte behind the patch was not noticed")
	}
	untouched(t, s)
}

// What a description claims about its images is compared with them.
func TestImportLies(t *testing.T) {
	tests := map[string]struct {
		lie  func(d *patch.Description, m *maker)
		want string
	}{
		"diff id": {func(d *patch.Description, m *maker) {
			l := &d.Flotobuild.Images[0].Manifests[0].Layers[1]
			d.Flotobuild.Transport[1].DiffID = digest.FromString("other")
			for n := range d.Flotobuild.Transport {
				if d.Flotobuild.Transport[n].DiffID == l.DiffID {
					d.Flotobuild.Transport[n].DiffID = digest.FromString("other")
				}
			}
			l.DiffID = digest.FromString("other")
		}, "diff id"},
		"own name":   {func(_ *patch.Description, m *maker) { m.files["import.json"] = "{}" }, "a name that sites keep"},
		"long name":  {func(_ *patch.Description, m *maker) { m.files["conf/"+strings.Repeat("x", 256)] = "" }, "cannot be a file"},
		"own folder": {func(_ *patch.Description, m *maker) { m.files["blobs.txt/x"] = "" }, "a name that sites keep"},
		"other site": {func(d *patch.Description, m *maker) {
			m.files["manifest/manifest.json"] = strings.Replace(m.files["manifest/manifest.json"], "north", "south", 1)
		}, `its manifest is for site "south"`},
		"newer manifest": {func(d *patch.Description, m *maker) {
			m.files["manifest/manifest.json"] = `{"formatVersion":3}`
		}, "use a newer flotobuild"},
		"newer transport": {func(d *patch.Description, m *maker) {
			d.Flotobuild.Transport = append(d.Flotobuild.Transport, patch.LayerTransport{DiffID: digest.FromString("x"), Kind: "rumour"})
		}, "take a newer flotobuild"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := newMaker(t)
			images := []patch.Image{m.image("a", m.layer("one", []byte("1"), store.Gzip), m.layer("two", []byte("2"), store.Zstd))}
			d := m.describe(0, images)
			test.lie(d, m)
			d.SetImages(d.Flotobuild.Images, nil)
			transport := d.Flotobuild.Transport
			d.Flotobuild.Transport = nil
			m.contents(d, d.Flotobuild.Images, nil)
			if len(transport) > len(d.Flotobuild.Transport) {
				d.Flotobuild.Transport = transport
			}
			path := m.write(d, patch.CreateOptions{})
			s := newSite(t)
			_, err := s.Import(t.Context(), Source{Path: path}, ImportOptions{})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v", err)
			}
			untouched(t, s)
		})
	}
}

// A patch must not give a layer of the store another diff id than it has.
func TestImportWrongPair(t *testing.T) {
	m := newMaker(t)
	base := m.layer("base", noise(1, 1000), store.Gzip)
	first := m.write(m.describe(0, []patch.Image{m.image("a", base)}), patch.CreateOptions{})
	liar := base
	liar.DiffID = digest.FromString("other")
	h := header(t, first)
	d := m.describe(1, []patch.Image{m.image("a", liar)}, h)
	second := m.write(d, patch.CreateOptions{})
	s := newSite(t)
	mustImport(t, s, first)
	_, err := s.Import(t.Context(), Source{Path: second}, ImportOptions{})
	if err == nil || !strings.Contains(err.Error(), "description is wrong") {
		t.Errorf("known to the store: %v", err)
	}
	// Without a patch that tells of it, the layer itself does.
	name, err := s.patchPath(h.Description.ID, recordFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	_, err = s.Import(t.Context(), Source{Path: second}, ImportOptions{})
	if err == nil || !strings.Contains(err.Error(), "diff id") {
		t.Errorf("not known to the store: %v", err)
	}
}

func TestMissingParents(t *testing.T) {
	paths := newMaker(t).chain(3)
	s := newSite(t)
	_, err := s.Import(t.Context(), Source{Path: paths[2]}, ImportOptions{})
	var missing *MissingError
	if !errors.As(err, &missing) || len(missing.Blobs) == 0 || len(missing.Parents) != 1 {
		t.Fatalf("got %v", err)
	}
	untouched(t, s)
	for _, b := range missing.Blobs {
		if b.Image == "" || b.Size == 0 {
			t.Errorf("missing: %+v", b)
		}
	}
	mustImport(t, s, paths[0])
	if i := mustImport(t, s, paths[2]); i.Known { // the patch between is not needed
		t.Error("it is known")
	}
	sound(t, s)
}

func TestSameID(t *testing.T) {
	m := newMaker(t)
	layer := m.layer("base", noise(1, 1000), store.Gzip)
	first := m.write(m.describe(0, []patch.Image{m.image("a", layer)}), patch.CreateOptions{})
	s := newSite(t)
	mustImport(t, s, first)
	if err := os.Remove(first); err != nil {
		t.Fatal(err)
	}
	second := m.write(m.describe(0, []patch.Image{m.image("b", layer)}), patch.CreateOptions{})
	if _, err := s.Import(t.Context(), Source{Path: second}, ImportOptions{}); err == nil || !strings.Contains(err.Error(), "another patch of this id") {
		t.Errorf("got %v", err)
	}
	sound(t, s)
}

// A line of the history that a crash cut short is nobody's.
func TestTornHistory(t *testing.T) {
	s := newSite(t)
	f, err := os.OpenFile(s.path(historyFile), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(f, `{"time":"2026-03-01T00:00:00Z","action":"imp`)
	f.Close()
	if err := s.Record(Event{Action: "walk", Detail: "zwölf Bögen"}); err != nil {
		t.Fatal(err)
	}
	history, err := s.History()
	if err != nil || len(history) != 2 || history[1].Action != "walk" {
		t.Errorf("history: %+v, %v", history, err)
	}
	b, err := os.ReadFile(s.path(historyFile))
	if err != nil || bytes.Count(b, []byte("\n")) != 2 || !bytes.HasSuffix(b, []byte("}\n")) {
		t.Errorf("file: %q, %v", b, err)
	}
}

func FuzzNeeds(f *testing.F) {
	f.Add("sha256:" + strings.Repeat("0", 64) + " 12 application/x")
	f.Add("sha256:" + strings.Repeat("0", 64) + " 12 - sha256:" + strings.Repeat("a", 64))
	f.Fuzz(func(t *testing.T, line string) {
		n, err := parseNeed(line)
		if err != nil {
			return
		}
		again, err := parseNeed(strings.TrimSuffix(string(encodeNeeds([]need{n})), "\n"))
		if err != nil || again.Digest != n.Digest || again.Size != n.Size || again.DiffID != n.DiffID {
			t.Errorf("%+v became %+v: %v", n, again, err)
		}
	})
}

// A trust policy holds at once, also for Sites that are open.
func TestTrust(t *testing.T) {
	m := newMaker(t)
	path := m.chain(1)[0]
	s := newSite(t)
	other, err := Open(s.Dir())
	if err != nil {
		t.Fatal(err)
	}
	if err := other.SetTrust(t.Context(), []byte(`{"formatVersion":1,"keys":[],"rules":[{"sites":["south"],"keys":["x"],"threshold":1}]}`), "test"); err == nil {
		t.Error("a policy with a rule for a key that it does not have was taken")
	}
	key, err := sign.Generate(sign.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	public, err := sign.PublicOf(key)
	if err != nil {
		t.Fatal(err)
	}
	policy, err := sign.NewPolicy([]*sign.PublicKey{public}, []string{"release"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(policy)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.SetTrust(t.Context(), b, "test"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Import(t.Context(), Source{Path: path}, ImportOptions{}); err == nil || !strings.Contains(err.Error(), "not signed") {
		t.Errorf("got %v", err)
	}
	untouched(t, s)
	if err := other.SetTrust(t.Context(), nil, "test"); err != nil {
		t.Fatal(err)
	}
	mustImport(t, s, path)
}
