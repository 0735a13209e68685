package site

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/sign"
)

// signedChain makes a site with a trust policy and two patches that satisfy it.
func signedChain(t *testing.T) (*Site, []string) {
	t.Helper()
	key, public := generate(t)
	policy, err := sign.NewPolicy([]*sign.PublicKey{public}, []string{"ada"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(policy)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Init(filepath.Join(t.TempDir(), "site"), InitOptions{Name: "north", Trust: b})
	if err != nil {
		t.Fatal(err)
	}
	m := newMaker(t)
	var ids []string
	var parents []*patch.Header
	for day := range 2 {
		image := m.image("one", m.layer("base", noise(day, 100), "gzip"))
		path := m.signed(m.describe(day, []patch.Image{image}, parents...), key)
		parents = []*patch.Header{header(t, path)}
		ids = append(ids, mustImport(t, s, path).Record.ID)
	}
	return s, ids
}

func mustCheck(t testing.TB, s *Site, o CheckOptions) *Checked {
	t.Helper()
	c, err := s.Check(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// files gives the regular files and links below a folder, relative to it.
func files(t testing.TB, dir string) []string {
	t.Helper()
	var out []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			out = append(out, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestCheckFiles damages every file of a patch in every way: the check names it,
// and it alone.
func TestCheckFiles(t *testing.T) {
	s, ids := signedChain(t)
	sound := mustCheck(t, s, CheckOptions{})
	dir := s.path(patchesDir, ids[0])
	all := files(t, dir)
	if len(sound.Damage) > 0 || sound.Patches != 2 || sound.Files != 2*len(all) || sound.Blobs == 0 {
		t.Fatalf("of a sound store it says %+v, and a patch has %d files", sound, len(all))
	}
	for _, name := range all {
		path := filepath.Join(dir, name)
		st, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		link := st.Mode()&fs.ModeSymlink != 0
		b, err := os.ReadFile(path)
		if err != nil && !link {
			t.Fatal(err)
		}
		for _, way := range damages(name, b, link) {
			saved := filepath.Join(t.TempDir(), "saved")
			if err := os.Rename(path, saved); err != nil {
				t.Fatal(err)
			}
			if way.do != nil {
				way.do(t, path)
			}
			got := mustCheck(t, s, CheckOptions{})
			if len(got.Damage) != 1 || got.Damage[0].File != "patches/"+ids[0]+"/"+name || !slices.Equal(got.Damage[0].Patches, ids[:1]) || !strings.Contains(got.Damage[0].Error, name) {
				t.Errorf("%s %s: %+v", name, way.name, got.Damage)
			}
			if other := mustCheck(t, s, CheckOptions{Patches: ids[1:]}); len(other.Damage) > 0 {
				t.Errorf("%s %s: of another patch it says %+v", name, way.name, other.Damage)
			}
			if err := errors.Join(os.RemoveAll(path), os.Rename(saved, path)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := mustCheck(t, s, CheckOptions{}); len(got.Damage) > 0 {
		t.Errorf("the test has left %+v", got.Damage)
	}
}

type damage struct {
	name string
	do   func(t *testing.T, path string) // nil leaves nothing
}

// damages are the ways to damage a file.
func damages(name string, b []byte, link bool) []damage {
	if link {
		return []damage{
			{"gone", nil},
			{"elsewhere", func(t *testing.T, path string) { must(t, os.Symlink("../elsewhere", path)) }},
		}
	}
	write := func(b []byte) func(t *testing.T, path string) {
		return func(t *testing.T, path string) { must(t, os.WriteFile(path, b, 0o644)) }
	}
	out := []damage{
		{"empty", write(nil)},
		{"short", write(b[:len(b)-1])},
		{"long", write(append(slices.Clone(b), 'x'))},
		{"a folder", func(t *testing.T, path string) { must(t, os.Mkdir(path, 0o755)) }},
	}
	flipped := slices.Clone(b)
	flipped[len(b)/2] ^= 1
	if name == recordFile { // holds more than the description says: who imported it, and when
		out = slices.DeleteFunc(out, func(d damage) bool { return d.name == "short" }) // its last newline
		return append(out, damage{"other version", write(bytes.Replace(b, []byte(`"1.0.0"`), []byte(`"1.0.1"`), 1))})
	}
	return append(out, damage{"flipped", write(flipped)}, damage{"gone", nil})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestCheckStrays: a file that no patch has is seen by a compilation.
func TestCheckStrays(t *testing.T) {
	s, ids := signedChain(t)
	must(t, os.WriteFile(s.path(patchesDir, ids[1], "conf", "ä.tftpl"), nil, 0o644))
	got := mustCheck(t, s, CheckOptions{})
	if len(got.Damage) != 1 || !strings.HasSuffix(got.Damage[0].File, "/conf/ä.tftpl") {
		t.Errorf("%+v", got.Damage)
	}
}

// TestCheckBlobs: blobs are checked also where the description of their patch is
// damaged, progress ends at its total, and an import mends them.
func TestCheckBlobs(t *testing.T) {
	s := newSite(t)
	path := newMaker(t).chain(1)[0]
	id := mustImport(t, s, path).Record.ID
	blob := s.path("blobs", "sha256", header(t, path).Description.Flotobuild.Images[0].Descriptor.Digest.Encoded())
	must(t, os.Chmod(blob, 0o644))
	must(t, os.WriteFile(blob, []byte("{}"), 0o644))
	must(t, os.WriteFile(s.path(patchesDir, id, patch.DescriptionEntry), []byte("{}"), 0o644))
	var done, total int64
	got := mustCheck(t, s, CheckOptions{Progress: func(d, t int64) { done, total = d, t }})
	if len(got.Damage) != 2 || got.Damage[0].Digest == "" || got.Damage[1].File == "" || done != total || done != got.Bytes {
		t.Errorf("%+v, %d of %d", got, done, total)
	}
	must(t, os.RemoveAll(s.path(patchesDir, id)))
	mustImport(t, s, path)
	if got := mustCheck(t, s, CheckOptions{}); len(got.Damage) > 0 {
		t.Errorf("after another import: %+v", got.Damage)
	}
}

func TestCheckAbsent(t *testing.T) {
	s, ids := signedChain(t)
	for _, id := range []string{"2026-01-01T00-00-00.000Z-x.north", "..", ""} {
		missing := (*MissingPatchError)(nil)
		if _, err := s.Check(t.Context(), CheckOptions{Patches: []string{id}}); !errors.As(err, &missing) {
			t.Errorf("%q: %v", id, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Check(ctx, CheckOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	// What is collected while it is checked is no damage.
	collected := false
	got := mustCheck(t, s, CheckOptions{Progress: func(int64, int64) {
		if !collected {
			collected = true
			if _, err := s.GC(t.Context(), GCOptions{Keep: 1}); err != nil {
				t.Error(err)
			}
		}
	}})
	if len(got.Damage) > 0 || len(ids) != 2 {
		t.Errorf("%+v", got.Damage)
	}
}
