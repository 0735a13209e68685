package site

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/patch"
)

// withVariables gives the maker's patches two variables of the site.
func (m *maker) withVariables() *maker {
	maps.Copy(m.files, map[string]string{
		"conf/plant.root.hcl": `variable "plc" {
  from = "site"
  type = string
  validation {
    condition     = var.plc != "none"
    error_message = "No PLC."
  }
}
variable "pin" {
  from      = "site"
  type      = string
  sensitive = true
}
host "main" {
  address = var.plc
}
document "notes" {
  title    = "Notes"
  template = "notes.tftpl"
}
`,
		"conf/notes.tftpl":   "pin ${var.pin} of ${site.vars.n} at ${site.name}, ${join(\" \", fileset(\".\", \"*\"))}\n",
		"documents/Notes":    "pin site-value-of-pin\n",
		lang.SiteEntry:       `{"formatVersion":1,"rootDefinition":"plant","file":"plant.root.hcl","folder":".","vars":{"n":{"value":1.5,"type":"number"}}}`,
		lang.ManifestEntry:   `{"formatVersion":2,"site":"north","project":"plant","hosts":[{"name":"main","address":"site-value-of-plc"}],"containers":[],"documents":[],"siteVariables":[{"name":"pin","type":"string","sensitive":true,"required":true},{"name":"plc","type":"string","required":true}]}`,
		"conf/Prüfung.txt":   "ä",
		"conf/.GIT_DESCRIBE": "1.0",
	})
	return m
}

func setVars(t testing.TB, s *Site, values ...string) {
	t.Helper()
	for n := 0; n < len(values); n += 2 {
		if err := s.SetVar(t.Context(), values[n], values[n+1], "test"); err != nil {
			t.Fatal(err)
		}
	}
}

// chainWithVariables makes a site with n patches that need values.
func chainWithVariables(t testing.TB, n int) (*Site, []string) {
	t.Helper()
	s := newSite(t)
	var ids []string
	for _, p := range newMaker(t).withVariables().chain(n) {
		mustImport(t, s, p)
		ids = append(ids, header(t, p).Description.ID)
	}
	return s, ids
}

func TestVarsMissing(t *testing.T) {
	s, ids := chainWithVariables(t, 1)
	var e *VarsError
	if err := s.Activate(t.Context(), ids[0], "test"); !errors.As(err, &e) || len(e.Missing) != 2 || len(e.Problems) != 0 {
		t.Fatalf("activated without values: %v", err)
	}
	setVars(t, s, "pin", "geheim-1", "plc", "none")
	err := s.Activate(t.Context(), ids[0], "test")
	if !errors.As(err, &e) || len(e.Missing) != 0 || len(e.Problems) != 1 || !strings.Contains(err.Error(), "No PLC.") {
		t.Fatalf("activated with a wrong value: %v", err)
	}
	if _, ok, _ := s.Active(); ok {
		t.Error("a patch is active")
	}
	if got := compiledFolders(t, s); len(got) != 0 {
		t.Errorf("compiled nevertheless: %q", got)
	}
}

func compiledFolders(t testing.TB, s *Site) []string {
	t.Helper()
	entries, err := os.ReadDir(s.path(compiledDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestRelease(t *testing.T) {
	s, ids := chainWithVariables(t, 2)
	if _, err := s.Release(ids[0]); !errors.Is(err, ErrNotCompiled) {
		t.Error("a patch that was never compiled is released")
	}
	setVars(t, s, "pin", "geheim-1", "plc", "10.0.0.7")
	if err := s.Activate(t.Context(), ids[0], "test"); err != nil {
		t.Fatal(err)
	}
	r, err := s.Release(ids[0])
	if err != nil {
		t.Fatal(err)
	}
	if r.Manifest.Hosts[0].Address != "10.0.0.7" || !slices.Contains(r.Secrets, "geheim-1") {
		t.Errorf("manifest %+v, secrets %q", r.Manifest, r.Secrets)
	}
	seen := make(map[string]bool)
	for _, c := range r.Contents {
		if strings.HasPrefix(c.Path, "images/") {
			continue
		}
		seen[c.Path] = true
		if c.Mode.FileMode()&fs.ModeSymlink != 0 {
			if to, err := fs.ReadLink(r.Files, c.Path); err != nil || to != "../plant.hcl" {
				t.Errorf("%s leads to %q, %v", c.Path, to, err)
			}
			continue
		}
		b, err := fs.ReadFile(r.Files, c.Path)
		if err != nil || patch.NewContent(c.Path, b).SHA256 != c.SHA256 {
			t.Errorf("%s is not what it says: %v", c.Path, err)
		}
	}
	if !seen["documents/Notes"] || !seen["conf/plant.hcl"] || seen["documents/handbook.md"] {
		t.Errorf("contents %v", slices.Sorted(maps.Keys(seen)))
	}
	const want = "pin geheim-1 of 1.5 at north, Prüfung.txt notes.tftpl plant.hcl plant.root.hcl\n"
	if b, err := fs.ReadFile(r.Files, "documents/Notes"); err != nil || string(b) != want {
		t.Errorf("document %q, %v", b, err)
	}
	onlyOwner(t, s)
}

// onlyOwner fails where others can read what the site keeps for itself.
func onlyOwner(t *testing.T, s *Site) {
	t.Helper()
	st, err := os.Stat(s.path(varsFile))
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
	err = filepath.WalkDir(s.path(compiledDir), func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		st, err := e.Info()
		if err == nil && st.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", name, st.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestVarsOfRollback: back means the values of then.
func TestVarsOfRollback(t *testing.T) {
	s, ids := chainWithVariables(t, 3)
	setVars(t, s, "pin", "geheim-1", "plc", "1")
	for _, id := range ids {
		if err := s.Activate(t.Context(), id, "test"); err != nil {
			t.Fatal(err)
		}
		setVars(t, s, "plc", "10")
	}
	if got := compiledFolders(t, s); len(got) != 3 {
		t.Errorf("compiled %q, and those of the patches before are kept", got)
	}
	rollback := func(want string) {
		t.Helper()
		id, err := s.Rollback(t.Context(), "", "test")
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.Release(id)
		if err != nil || r.Manifest.Hosts[0].Address != want {
			t.Errorf("%+v, %v", r, err)
		}
	}
	setVars(t, s, "plc", "none")
	rollback("10")
	setVars(t, s, "plc", "11")
	rollback("1")
	if got := compiledFolders(t, s); len(got) != 3 {
		t.Errorf("compiled %q, and hosts may run all three", got)
	}
}

// TestVarsOfCollected: what was compiled goes with its patch.
func TestVarsOfCollected(t *testing.T) {
	s, ids := chainWithVariables(t, 4)
	setVars(t, s, "pin", "geheim-1", "plc", "1")
	for _, id := range ids {
		if err := s.Activate(t.Context(), id, "test"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.GC(t.Context(), GCOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := compiledFolders(t, s); len(got) != 2 {
		t.Errorf("compiled %q, and two patches are left", got)
	}
	if _, err := s.Release(ids[2]); err != nil {
		t.Error(err)
	}
}

func TestVarsChanged(t *testing.T) {
	s, ids := chainWithVariables(t, 1)
	is := func(want bool) {
		t.Helper()
		if got, err := s.VarsChanged(); got != want || err != nil {
			t.Errorf("changed: %t, %v", got, err)
		}
	}
	is(false)
	setVars(t, s, "pin", "geheim-1", "plc", "1")
	if err := s.Activate(t.Context(), ids[0], "test"); err != nil {
		t.Fatal(err)
	}
	is(false)
	setVars(t, s, "other", "1")
	is(false)
	setVars(t, s, "plc", "2")
	is(true)
	setVars(t, s, "plc", "1")
	is(false)
	if err := s.UnsetVar(t.Context(), "pin", "test"); err != nil {
		t.Fatal(err)
	}
	is(true)
	setVars(t, s, "pin", "geheim-1")
	if err := os.RemoveAll(s.path(compiledDir, compiledFolders(t, s)[0])); err != nil {
		t.Fatal(err)
	}
	is(true)
	if err := s.Activate(t.Context(), ids[0], "test"); err != nil {
		t.Fatal(err)
	}
	is(false)
}

func TestVarsRefused(t *testing.T) {
	s := newSite(t)
	for name, value := range map[string]string{"a b": "", "": "x", "1": "x", strings.Repeat("n", 300): "", "bytes": "\xff", "large": strings.Repeat("x", maxValue+1)} {
		if err := s.SetVar(t.Context(), name, value, "test"); err == nil {
			t.Errorf("%.20q is set", name)
		}
	}
	if err := s.UnsetVar(t.Context(), "x", "test"); !errors.Is(err, ErrNoValue) {
		t.Error(err)
	}
	if err := os.WriteFile(s.path(varsFile), []byte(`{"formatVersion":1,"values":null}`), 0o600); err != nil {
		t.Fatal(err)
	}
	setVars(t, s, "x", "y")
	for _, text := range []string{`{"formatVersion":1,"values":{"x":"geheim`, `["geheim"]`, `{"formatVersion":2}`} {
		if err := os.WriteFile(s.path(varsFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Vars(); err == nil || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestVarsConcurrently sets many values at once, while patches are activated.
func TestVarsConcurrently(t *testing.T) {
	s, ids := chainWithVariables(t, 2)
	setVars(t, s, "pin", "geheim-1", "plc", "1")
	var group sync.WaitGroup
	names := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	for n, name := range names {
		group.Go(func() {
			if err := s.SetVar(t.Context(), name, name, "test"); err != nil {
				t.Error(err)
			}
			if err := s.Activate(t.Context(), ids[n%2], "test"); err != nil {
				t.Error(err)
			}
		})
	}
	for range 50 {
		for _, id := range ids {
			if _, err := s.Release(id); err != nil && !errors.Is(err, ErrNotCompiled) {
				t.Error(err)
			}
		}
	}
	group.Wait()
	values, err := s.Vars()
	if err != nil || len(values) != len(names)+2 {
		t.Errorf("values %v, %v", values, err)
	}
	id, _, _ := s.Active()
	if _, err := s.Release(id); err != nil {
		t.Error(err)
	}
	if l := leaks(t, s); len(l) > 0 {
		t.Errorf("left: %q", l)
	}
}

func TestVariables(t *testing.T) {
	s, _ := chainWithVariables(t, 2)
	setVars(t, s, "pin", "geheim-1", "other", "geheim-2")
	all, err := s.Variables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var text []string
	for _, v := range all {
		line := v.Name + " " + v.Type + " " + v.Value
		if v.Missing() {
			line += "missing"
		}
		text = append(text, line)
	}
	if want := []string{"other  ", "pin string ", "plc string missing"}; !slices.Equal(text, want) {
		t.Errorf("variables %q", text)
	}
}
