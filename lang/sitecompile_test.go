package lang

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/zclconf/go-cty/cty"
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
		if len(m.SiteVariables) == 0 {
			delete(m.files, SiteEntry)
			sameEntries(t, got.files, m.files)
			continue
		}
		sameEntries(t, got.files, m.files)
		there, diags := CompileAtSite(fsys, SiteInput{Site: s.Name, Recipe: m.files[SiteEntry], CompileInput: in, Values: standIns(s, in)})
		if diags.HasErrors() {
			t.Fatalf("site %s, with what stands in the patch: %v", s.Name, diags)
		}
		sameEntries(t, there.files, m.files)
	}
}

// standIns are the values that a patch has in place of the site's.
func standIns(s *Site, in CompileInput) map[string]string {
	r := (&frame{scope: s.source.scope}).compile(s, s.source.root, &in)
	out := make(map[string]string)
	for _, v := range r.siteVars {
		value := v.preset
		if v.Required {
			value = v.placeholder
		}
		if out[v.Name] = valueSource(value); v.kind.literal {
			out[v.Name] = primitiveText(value)
		}
	}
	return out
}

func sameEntries(t *testing.T, got, want map[string][]byte) {
	t.Helper()
	var b bytes.Buffer
	writeEntries(&b, "want", want, got)
	writeEntries(&b, "got", got, want)
	if b.Len() > 0 {
		t.Errorf("differs:\n%s", b.Bytes())
	}
}

const (
	randomProject = `
image_set "s" {
  image "app" {
    rootfs = "app.tar"
  }
}
function "twice" {
  params = [x]
  result = "${x}${x}"
}
root_definition "r" {
  file       = "r.root.hcl"
  image_sets = [image_set.s]
}
site "a" {
  root_definition = root_definition.r
  vars            = { unit = "ms" }
  patch {
    version = "1.1.0"
  }
}
`
	randomRoot = `
variable "text" {
  from = "site"
  type = string
  %s
}
variable "number" {
  from = "site"
  type = number
  %s
}
variable "list" {
  from = "site"
  type = list(string)
  %s
}
host "main" {
  docker = "tcp://h:${var.number}"
}
container "app" {
  image   = "app"
  host    = "main"
  command = [var.text, twice(var.text), "${var.number}${site.vars.unit}"]
  env     = { JSON = jsonencode([var.text, var.number, var.list]), ALL = join("|", var.list) }
  config "/etc/list" {
    content = "%%{ for e in var.list }${e}\n%%{ endfor }${sha256(var.text)}"
  }
}
document "notes" {
  title    = "Notes"
  template = "notes.tftpl"
}
`
)

// TestRandomValuesAtTheSite holds that a value of the site gives the bytes that
// it gives as a default, where the patch is made.
func TestRandomValuesAtTheSite(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 9))
	text := func() string {
		pieces := []string{"a", "ä", "$", "${x}", "%{", "\"", "\\", " ", "'", "#", ": ", "- ", "\t", "0x1", "null", "~", "日本", "{{", "&", "*"}
		var b strings.Builder
		for range rng.IntN(6) {
			b.WriteString(pieces[rng.IntN(len(pieces))])
		}
		return b.String()
	}
	template := []byte("${var.text} ${length(var.list)} ${var.number * 2} ${patch.id}\n")
	for range 150 {
		number := strconv.FormatFloat(rng.NormFloat64()*math.Pow10(rng.IntN(20)-8), 'f', -1, 64)
		list := []cty.Value{cty.StringVal(text()), cty.StringVal(text())}[:rng.IntN(3)]
		word, words := text(), valueSource(cty.TupleVal(list))
		def := func(source string) string { return "default = " + source }
		known := randomSite(t, fmt.Sprintf(randomRoot, def(valueSource(cty.StringVal(word))), def(number), def(words)), template)
		left := randomSite(t, fmt.Sprintf(randomRoot, "", "", ""), template)
		in := CompileInput{Images: map[string]string{"app": PlaceholderID}, Patch: PatchInfo{ID: "p1"}}
		want, diags := known.Compile(in)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		patched, diags := left.Compile(in)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		got, diags := CompileAtSite(left.source.scope.project.fsys, SiteInput{
			Site: "a", Recipe: patched.files[SiteEntry], CompileInput: in,
			Values: map[string]string{"text": word, "number": number, "list": words},
		})
		if diags.HasErrors() {
			t.Fatalf("%q %s %s: %v", word, number, words, diags)
		}
		for _, m := range []*Manifest{want, got.Manifest} {
			m.files[ManifestEntry] = bytes.ReplaceAll(m.files[ManifestEntry], []byte(",\n      \"required\": true"), nil)
		}
		if sameEntries(t, got.files, want.files); t.Failed() {
			t.Fatalf("with %q %s %s", word, number, words)
		}
	}
}

func randomSite(t *testing.T, root string, template []byte) *Site {
	t.Helper()
	cfg, diags := Load(fstest.MapFS{
		"main.floto.hcl": {Data: []byte(randomProject)},
		"r.root.hcl":     {Data: []byte(root)},
		"notes.tftpl":    {Data: template},
	}, Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return cfg.Sites[0]
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
