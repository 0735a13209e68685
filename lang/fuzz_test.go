package lang

import (
	"bytes"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzLoad feeds arbitrary configuration, root definition and Compose files.
// Whatever they hold, Load comes back, its diagnostics have places and can be
// printed, and a configuration without errors is whole.
func FuzzLoad(f *testing.F) {
	names, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		a, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed(a, nativeSuffix), seed(a, rootSuffix), seed(a, ".yaml"), seed(a, ".json"))
	}
	f.Fuzz(func(t *testing.T, native, root, compose, js []byte) {
		defer limited()()
		fsys := fstest.MapFS{
			"main.floto.hcl":      {Data: native},
			"more.floto.hcl.json": {Data: js},
			"roots/a.root.hcl":    {Data: root},
			"roots/compose.yaml":  {Data: compose},
			"roots/a.tftpl":       {Data: root},
			"roots/a.env":         {Data: compose},
		}
		cfg, diags := Load(fsys, Options{ToolVersion: "0.1.0", steps: fuzzSteps})
		for _, d := range diags {
			if d.Subject == nil || d.Summary == "" {
				t.Errorf("diagnostic without place or summary: %#v", d)
			}
		}
		if err := WriteDiagnostics(io.Discard, diags, cfg.Files, DiagnosticsOptions{Width: 60, Color: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := DiagnosticsJSON(diags, cfg.Files); err != nil {
			t.Fatal(err)
		}
		if !diags.HasErrors() {
			checkWhole(t, cfg)
		}
	})
}

// limited fails a fuzz target whose input takes too long, so that the input is
// kept: the machinery itself waits for ever.
func limited() (stop func() bool) {
	return time.AfterFunc(30*time.Second, func() { panic("the input takes longer than 30 seconds") }).Stop
}

// fuzzSteps is a budget that ends evaluation within a second also where the
// machinery makes everything slow.
const fuzzSteps = budget / 50

func seed(a *txtar.Archive, suffix string) []byte {
	for _, f := range a.Files {
		if strings.HasSuffix(f.Name, suffix) {
			return f.Data
		}
	}
	return nil
}

// compileWhole compiles a site of a configuration without errors: what comes of
// it has valid names and Compose files, and is the same a second time.
func compileWhole(t *testing.T, s *Site) {
	t.Helper()
	in := CompileInput{Images: make(map[string]string), Patch: PatchInfo{ID: "id", Version: "1.0.0", Revision: "r"}}
	for _, i := range s.Images() {
		in.Images[i.Name] = PlaceholderID
	}
	m, diags := s.Compile(in)
	if diags.HasErrors() {
		return
	}
	checkManifest(t, m)
	again, _ := s.Compile(in)
	for name, b := range m.Files() {
		if !fs.ValidPath(name) || strings.ContainsAny(name, "\\\x00\n") {
			t.Errorf("invalid name %q", name)
		}
		if !bytes.Equal(again.files[name], b) {
			t.Errorf("compiled again, %q is another one", name)
		}
	}
}

// checkWhole checks what Config promises.
func checkWhole(t *testing.T, cfg *Config) {
	t.Helper()
	for _, s := range cfg.ImageSets {
		for _, im := range s.Images {
			origins := 0
			for _, set := range []bool{im.Build != nil, im.Rootfs != nil, im.Source != nil} {
				if set {
					origins++
				}
			}
			if origins != 1 {
				t.Errorf("%s has %d origins", im.Address(), origins)
			}
			if im.Build != nil && im.Build.Context.Name == "" {
				t.Errorf("%s has no context", im.Address())
			}
		}
	}
	for _, s := range cfg.Sites {
		compileWhole(t, s)
		if s.RootDefinition == nil || s.Patch.Version == "" || s.Patch.Name == "" {
			t.Errorf("site %q is not whole: %+v", s.Name, s)
			continue
		}
		for _, c := range s.Containers {
			if s.RootDefinition.Images()[c.Image] == nil {
				t.Errorf("container %q names no image", c.Name)
			}
		}
	}
	var b bytes.Buffer
	dump(&b, cfg)
}
