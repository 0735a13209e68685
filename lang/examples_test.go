package lang

import (
	"os"
	"slices"
	"testing"
)

// TestExamples compiles the root definitions of the examples.
func TestExamples(t *testing.T) {
	for name, files := range map[string]int{"plant": 5, "compose": 2} {
		t.Run(name, func(t *testing.T) {
			cfg, diags := Load(os.DirFS("../examples/"+name), Options{ToolVersion: "0.1.0"})
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			for _, s := range cfg.Sites {
				in := CompileInput{Images: make(map[string]string), Patch: PatchInfo{ID: "id", Version: "1.0.0", Revision: "r", Parent: "p"}}
				for _, i := range s.Images() {
					in.Images[i.Name] = PlaceholderID
				}
				m, diags := s.Compile(in)
				if diags.HasErrors() {
					t.Fatal(diags)
				}
				if got := m.Files(); len(got) != files {
					t.Errorf("site %s: %d files", s.Name, len(got))
				}
				if slices.ContainsFunc(m.Containers, func(c ManifestContainer) bool { return c.ImageID != PlaceholderID }) {
					t.Errorf("containers without image: %+v", m.Containers)
				}
				checkManifest(t, m)
			}
		})
	}
}
