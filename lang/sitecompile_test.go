package lang

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestCompileAtSite runs every archive in testdata/sitecompile: each site of the
// project is compiled, checked for what the site needs, and compiled there. The
// file "want" holds diagnostics, all entries of the patch, and those that differ
// at the site. Lines of the comment: "value NAME TEXT" is one of the site's,
// "leave FILE" does not travel, "recipe TEXT" stands for manifest/site.json.
func TestCompileAtSite(t *testing.T) {
	names, err := filepath.Glob("testdata/sitecompile/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got := siteArchive(t, a)
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

// commentLines gives what follows a word at the beginning of lines.
func commentLines(a *txtar.Archive, word string) (out []string) {
	for _, line := range strings.Split(string(a.Comment), "\n") {
		if rest, ok := strings.CutPrefix(line, word+" "); ok {
			out = append(out, rest)
		}
	}
	return out
}

func siteArchive(t *testing.T, a *txtar.Archive) string {
	t.Helper()
	fsys := archiveFS(a)
	cfg, diags := Load(fsys, archiveOptions(t, a, fsys))
	var b bytes.Buffer
	writeDiagnostics(t, &b, cfg, diags)
	if diags.HasErrors() {
		return b.String()
	}
	conf := fstest.MapFS{".GIT_DESCRIBE": {}, ".GIT_TIMESTAMP": {}}
	for name, f := range fsys {
		if !slices.Contains(commentLines(a, "leave"), name) {
			conf[name] = f
		}
	}
	for _, s := range cfg.Sites {
		in := archiveInput(a, s)
		m, diags := s.Compile(in)
		writeDiagnostics(t, &b, cfg, diags)
		if diags.HasErrors() {
			continue
		}
		writeEntries(&b, s.Name, m.Files(), nil)
		checkManifest(t, m)
		writeDiagnostics(t, &b, cfg, s.CheckAtSite(m, in, slices.Sorted(maps.Keys(conf))))
		local := SiteInput{Site: s.Name, Recipe: m.files[SiteEntry], CompileInput: in, Values: make(map[string]string)}
		for _, line := range commentLines(a, "value") {
			name, text, _ := strings.Cut(line, " ")
			local.Values[name] = text
		}
		for _, text := range commentLines(a, "recipe") {
			local.Recipe = []byte(text)
		}
		there, diags := CompileAtSite(conf, local)
		b.WriteString("-- at the site\n")
		writeDiagnostics(t, &b, &Config{Files: cfg.Files}, diags)
		if there == nil {
			continue
		}
		writeEntries(&b, s.Name, there.Files(), m.Files())
		fmt.Fprintf(&b, "secrets: %q\n", there.Secrets)
	}
	return b.String()
}

// writeEntries writes what differs from other entries.
func writeEntries(b *bytes.Buffer, site string, files, other map[string][]byte) {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if other == nil || !bytes.Equal(files[name], other[name]) {
			fmt.Fprintf(b, "== %s: %s\n%s", site, name, files[name])
		}
	}
}

// TestSameAtTheSite holds that a site makes the builder's bytes of the values
// that stand in the patch, for every case of both tables that compiles.
func TestSameAtTheSite(t *testing.T) {
	for _, pattern := range []string{"testdata/compile/*.txtar", "testdata/sitecompile/*.txtar"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			t.Run(filepath.Base(name), func(t *testing.T) { sameAtTheSite(t, name) })
		}
	}
}

func sameAtTheSite(t *testing.T, name string) {
	a, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	fsys := archiveFS(a)
	cfg, diags := Load(fsys, archiveOptions(t, a, fsys))
	if diags.HasErrors() {
		t.Skip("does not load")
	}
	all := slices.Sorted(maps.Keys(fsys))
	for _, s := range cfg.Sites {
		in := archiveInput(a, s)
		m, diags := s.Compile(in)
		if diags.HasErrors() {
			t.Skip("does not compile")
		}
		if m.files[SiteEntry] == nil {
			// Without site variables there is no recipe; what it would be serves.
			m.files[SiteEntry] = recipeOf(t, s)
		}
		if diags := s.CheckAtSite(m, in, all); diags.HasErrors() && len(m.SiteVariables) > 0 {
			t.Errorf("site %s: %v", s.Name, diags)
		}
		got, diags := compileRecipe(fsys, SiteInput{Site: s.Name, Recipe: m.files[SiteEntry], CompileInput: in})
		if diags.HasErrors() {
			t.Fatalf("site %s: %v", s.Name, diags)
		}
		var b bytes.Buffer
		if len(m.SiteVariables) == 0 {
			delete(m.files, SiteEntry)
		}
		writeEntries(&b, s.Name, m.files, got.files)
		writeEntries(&b, s.Name, got.files, m.files)
		if b.Len() > 0 {
			t.Errorf("differs:\n%s", b.Bytes())
		}
	}
}

func recipeOf(t *testing.T, s *Site) []byte {
	t.Helper()
	r := &rootFrame{frame: &frame{}, site: s, root: s.source.root}
	b, err := r.recipe().encode()
	if err != nil || r.diags.HasErrors() {
		t.Fatal(err, r.diags)
	}
	return b
}

func TestConfFS(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for _, name := range []string{"a/x", "a/y", "b/z"} {
		err = errors.Join(err, root.MkdirAll(path.Dir(name), 0o777), root.WriteFile(name, nil, 0o666))
	}
	for name, to := range map[string]string{"link": "a", "ring": "ring", "hidden": "b", "out": ".."} {
		err = errors.Join(err, root.Symlink(to, name))
	}
	if err != nil {
		t.Fatal(err)
	}
	c := newConfFS(root.FS(), []string{"a/x", "link", "ring", "out"})
	for name, want := range map[string]bool{
		"a/x": true, "link/x": true, "a": true, "link": true, ".": true, "ring": false, "out": false,
		"a/y": false, "link/y": false, "b": false, "b/z": false, "hidden/z": false, "ring/x": false, "out/b/z": false, "c": false,
	} {
		f, err := c.Open(name)
		if (err == nil) != want {
			t.Errorf("%q: %v", name, err)
		}
		if err == nil {
			f.Close()
		}
	}
	for dir, want := range map[string]string{".": "[a link out ring]", "a": "[x]", "link": "[x]"} {
		entries, err := fs.ReadDir(c, dir)
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		if got := fmt.Sprint(names); err != nil || got != want {
			t.Errorf("%q holds %s, %v", dir, got, err)
		}
	}
}

func TestCheckSiteValue(t *testing.T) {
	for _, c := range []struct {
		v    ManifestVariable
		text string
		want string
	}{
		{ManifestVariable{Type: "string"}, "${x}", ""},
		{ManifestVariable{Type: "number"}, "502", ""},
		{ManifestVariable{Type: "number"}, "many", "it does not fit the type number: a number is required"},
		{ManifestVariable{Type: "number", Sensitive: true}, "many", "it does not fit the type number"},
		{ManifestVariable{Type: "list(string)"}, `["a"]`, ""},
		{ManifestVariable{Type: "list(string)"}, `a`, "Variables not allowed"},
		{ManifestVariable{Type: "object({a=string,b=optional(number)})"}, `{ a = "x" }`, ""},
		{ManifestVariable{Type: "future(x)"}, "1", "does not know"},
	} {
		err := c.v.Check(c.text)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v %q: %v", c.v, c.text, err)
		}
	}
}

func FuzzRecipe(f *testing.F) {
	f.Add([]byte(`{"formatVersion":1,"rootDefinition":"r","file":"r.root.hcl","folder":".","vars":{"n":{"value":1e3,"type":"number"},"o":{"value":{"a":[true,null]},"type":["object",{"a":["tuple",["bool","string"]]}]}}}`))
	conf := fstest.MapFS{"r.root.hcl": {Data: []byte("host \"h\" {\n address = jsonencode(site.vars)\n}\n")}}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, diags := CompileAtSite(conf, SiteInput{Site: "s", Recipe: data})
		if (m == nil) != diags.HasErrors() {
			t.Errorf("manifest %v, diagnostics %v", m, diags)
		}
	})
}
