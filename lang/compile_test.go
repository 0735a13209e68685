package lang

import (
	"bytes"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"gopkg.in/yaml.v3"
)

// TestCompile runs every archive in testdata/compile: it compiles each site of
// the project, and the file "want" is what comes of it: diagnostics, or all
// files that go into the patch. A line "parent ID" of the comment sets
// patch.parent, "image NAME ID" an image's id.
func TestCompile(t *testing.T) {
	names, err := filepath.Glob("testdata/compile/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got := compileArchive(t, a)
			if again := compileArchive(t, a); again != got {
				t.Errorf("compiled again, the result is another one:\n%s", again)
			}
			if *update {
				writeWant(t, name, a, got)
				return
			}
			if want := wantOf(a); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func compileArchive(t *testing.T, a *txtar.Archive) string {
	t.Helper()
	fsys := archiveFS(a)
	cfg, diags := Load(fsys, archiveOptions(t, a, fsys))
	var b bytes.Buffer
	writeDiagnostics(t, &b, cfg, diags)
	if diags.HasErrors() {
		return b.String()
	}
	for _, s := range cfg.Sites {
		m, diags := s.Compile(archiveInput(a, s))
		writeDiagnostics(t, &b, cfg, diags)
		if diags.HasErrors() {
			continue
		}
		files := m.Files()
		for _, name := range slices.Sorted(maps.Keys(files)) {
			fmt.Fprintf(&b, "== %s: %s\n%s", s.Name, name, files[name])
			if !bytes.HasSuffix(files[name], []byte("\n")) {
				b.WriteString("\n")
			}
		}
		for _, n := range s.Needs {
			fmt.Fprintf(&b, "== %s needs %s\n", s.Name, n.Name)
		}
		checkManifest(t, m)
	}
	return b.String()
}

// checkManifest holds that a manifest can be read back, and that its Compose
// files are valid.
func checkManifest(t *testing.T, m *Manifest) {
	t.Helper()
	back, err := DecodeManifest(m.files[ManifestEntry])
	if err != nil {
		t.Fatal(err)
	}
	again, err := back.encode()
	if err != nil || !bytes.Equal(again, m.files[ManifestEntry]) {
		t.Errorf("decoded and encoded, the manifest is another one (%v):\n%s", err, again)
	}
	for _, h := range m.Hosts {
		if h.Compose == "" {
			continue
		}
		if err := checkCompose(m.files[h.Compose]); err != nil {
			t.Errorf("%s is no valid Compose file: %v", h.Compose, err)
		}
	}
}

func archiveInput(a *txtar.Archive, s *Site) CompileInput {
	in := CompileInput{
		Images: make(map[string]string),
		Patch:  PatchInfo{ID: "2026-" + s.Name, Version: s.Patch.Version, Revision: "plant-v1"},
	}
	for _, i := range s.Images() {
		in.Images[i.Name] = "sha256:" + strings.Repeat(fmt.Sprintf("%02x", i.Name[0]), 32)
	}
	for _, line := range strings.Split(string(a.Comment), "\n") {
		switch f := strings.Fields(line); {
		case len(f) == 2 && f[0] == "parent":
			in.Patch.Parent = f[1]
		case len(f) == 3 && f[0] == "image":
			in.Images[f[1]] = f[2]
		}
	}
	return in
}

// checkCompose holds the bytes of a Compose file against the specification.
func checkCompose(src []byte) error {
	var model map[string]any
	if err := yaml.Unmarshal(src, &model); err != nil {
		return err
	}
	return checkModel(model)
}
