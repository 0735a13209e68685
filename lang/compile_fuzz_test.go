package lang

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

// rootsProject has a site for each form of root definitions.
const rootsProject = `
image_set "app" {
  image "web" {
    context = "web"
  }
  image "db" {
    rootfs = "db.tar"
  }
}
root_definition "native" {
  file       = "roots/plant.root.hcl"
  image_sets = [image_set.app]
}
root_definition "compose" {
  file       = "roots/compose.yaml"
  image_sets = [image_set.app]
}
site "native" {
  root_definition = root_definition.native
  vars            = { domain = "x.example", lines = 4 }
  patch {
    version = "2.1.0"
  }
}
site "compose" {
  root_definition = root_definition.compose
  vars            = { port = 80, lines = "4" }
  patch {
    version = "2.1.0"
  }
}
`

func rootsFS(root, compose, template, env []byte) fstest.MapFS {
	return fstest.MapFS{
		"main.floto.hcl":              {Data: []byte(rootsProject)},
		"roots/plant.root.hcl":        {Data: root},
		"roots/compose.yaml":          {Data: compose},
		"roots/web.env":               {Data: env},
		"templates/limits.yaml.tftpl": {Data: template},
		"documents/notes.md.tftpl":    {Data: template},
		"documents/plain.txt":         {Data: template},
	}
}

// FuzzCompile feeds arbitrary root definitions, templates and env files to a
// project that is otherwise whole.
func FuzzCompile(f *testing.F) {
	names, err := filepath.Glob("testdata/*compile/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		a, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed(a, rootSuffix), seed(a, ".yaml"), seed(a, templateSuffix), seed(a, ".env"))
	}
	f.Fuzz(func(t *testing.T, root, compose, template, env []byte) {
		defer limited()()
		cfg, diags := Load(rootsFS(root, compose, template, env), Options{steps: fuzzSteps})
		for _, d := range diags {
			if d.Subject == nil || d.Summary == "" {
				t.Errorf("diagnostic without place or summary: %#v", d)
			}
		}
		if !diags.HasErrors() {
			for _, s := range cfg.Sites {
				compileWhole(t, s)
			}
		}
	})
}

// TestCompileHostile compiles what grows without limits when it is expanded.
func TestCompileHostile(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const native = "host \"a\" {}\ncontainer \"web\" {\n  image = \"web\"\n  host = \"a\"\n}\n"
	const compose = "services:\n  web:\n    image: web\n"
	fill := func(unit string) string { return strings.Repeat(unit, (MaxSourceSize-1000)/len(unit)) }
	fillEnv := func(unit string) string { return strings.Repeat(unit, (maxEnvFile-1000)/len(unit)) }
	var bomb strings.Builder
	bomb.WriteString(compose + "x-0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]\n")
	for i := range 12 {
		fmt.Fprintf(&bomb, "x-%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i+1, i+1, i, i, i, i, i, i, i, i)
	}
	for name, c := range map[string]struct{ compose, env, template string }{
		"aliases":        {compose: bomb.String()},
		"ring":           {compose: compose + "x-0: &a [*a]\n"},
		"deep":           {compose: compose + "x-0: " + fill("[")},
		"deep flow":      {compose: compose + "x-0: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000)},
		"variables":      {compose: compose + "    command: \"" + fill("${a:-b} ") + "\"\n"},
		"many variables": {compose: compose + "    command:\n" + fill("      - ${a:-b}\n")},
		"nested":         {compose: compose + "    command: \"" + fill("${a:-") + "\"\n"},
		"extends ring":   {compose: "services:\n  a: {extends: b}\n  b: {extends: a}\n"},
		"env variables":  {compose: compose + "    env_file: web.env\n", env: "A=" + fillEnv("${a:-b} ") + "\n"},
		"env lines":      {compose: compose + "    env_file: web.env\n", env: fillEnv("A=$A$A\n")},
		"env quotes":     {compose: compose + "    env_file: web.env\n", env: fillEnv("A=\"\n")},
		"long title":     {template: "document \"a\" {\n  title = \"" + fill("é") + "\"\n  template = \"../documents/plain.txt\"\n}\n"},
		"large text":     {template: "container \"b\" {\n  image = \"web\"\n  host = \"a\"\n  config \"/x\" {\n    content = \"%{ for i in range(1024) }" + strings.Repeat("x", 20000) + "%{ endfor }\"\n  }\n}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.compose == "" {
				c.compose = compose
			}
			start := processorTime(t)
			cfg, diags := Load(rootsFS([]byte(native+c.template), []byte(c.compose), []byte("x"), []byte(c.env)), Options{})
			if !diags.HasErrors() {
				for _, s := range cfg.Sites {
					compileWhole(t, s)
				}
			}
			d := processorTime(t) - start
			if d > 10*time.Second {
				t.Errorf("it took %v of the processor", d)
			}
			t.Logf("%v, %d diagnostics %.200v", d, len(diags), diags)
		})
	}
}

// FuzzTemplate renders arbitrary templates, which make text in a document and by
// templatefile.
func FuzzTemplate(f *testing.F) {
	for _, text := range []string{
		"plain", "${site.name}", "%{ for x in range(3) ~}${x}%{ endfor ~}", "%{ if true }a%{ else }b%{ endif }",
		"${images.web} ${patch.id}", "$${a} %%{b}", "${templatefile(\"x\", {})}", "${[for x in range(1000) : range(1000)]}",
		"${jsonencode(site.vars)}", "${format(\"%1000000000s\", 1)}", "\xff", "${", "%{ for x in", "${file(\"plain.txt\")}",
		"${regexall(\"(a*)*b\", \"aaaaaaaaaaaaaaaaaaaaaaaaaa\")}", "${setproduct(range(100), range(100), range(100))}",
	} {
		f.Add([]byte(text))
	}
	const root = "host \"a\" {}\ncontainer \"web\" {\n  image = \"web\"\n  host = \"a\"\n  config \"/x\" {\n    content = templatefile(\"../documents/plain.txt\", { site = site, images = images, patch = patch })\n  }\n}\n" +
		"document \"a\" {\n  title = \"a\"\n  template = \"../documents/plain.txt\"\n}\n"
	f.Fuzz(func(t *testing.T, template []byte) {
		defer limited()()
		fsys := rootsFS([]byte(root), []byte("services:\n  web:\n    image: web\n"), template, nil)
		cfg, diags := Load(fsys, Options{steps: fuzzSteps})
		if !diags.HasErrors() {
			for _, s := range cfg.Sites {
				compileWhole(t, s)
			}
		}
	})
}
