package lang

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

const dynamicSites = `image_set "a" {
  image "one" {
    rootfs = "one.tar"
  }
  image "two" {
    rootfs = "one.tar"
  }
}
root_definition "r" {
  file       = "r.root.hcl"
  image_sets = [image_set.a]
}
`

const dynamicRoot = `host "main" {}
dynamic "host" {
  for_each = site.vars.hosts
  labels   = [host.value]
  content {}
}
dynamic "container" {
  for_each = ["one", "two"]
  labels   = ["${site.vars.prefix}-${container.value}"]
  content {
    image = container.value
    host  = site.vars.hosts == [] ? "main" : site.vars.hosts[0]
    env   = { SITE = site.name, ELEMENT = container.value, DOMAIN = site.vars.domain }
    dynamic "config" {
      for_each = site.vars.files
      labels   = ["/etc/${config.value}"]
      content {
        content = "${container.value} at ${site.name} has ${config.value}"
      }
    }
  }
}
container "fixed" {
  image = "one"
  host  = "main"
  dynamic "healthcheck" {
    for_each = site.vars.checks
    content {
      test     = ["CMD", site.vars.domain]
      interval = healthcheck.value
    }
  }
}
`

// TestDynamicBlocksOfSites compiles sites that have all, some and none of the
// blocks of dynamic blocks in common, in turn: each compiles as it does alone.
func TestDynamicBlocksOfSites(t *testing.T) {
	vars := []string{
		`hosts = ["x"], prefix = "p", domain = "d", files = ["f"], checks = []`,
		`hosts = ["x"], prefix = "p", domain = "d", files = ["f"], checks = []`,
		`hosts = ["x"], prefix = "p", domain = "e", files = ["f", "g"], checks = ["1s"]`,
		`hosts = ["y", "x"], prefix = "p", domain = "e", files = ["f", "g"], checks = ["2s"]`,
		`hosts = [], prefix = "q", domain = "e", files = [], checks = ["2s"]`,
		`hosts = ["x"], prefix = "p", domain = 5, files = ["f"], checks = []`,
	}
	var sites []string
	for i, v := range vars {
		sites = append(sites, fmt.Sprintf("site \"s%d\" {\n root_definition = root_definition.r\n vars = { %s }\n patch {\n version = \"1.0.0\"\n }\n}\n", i, v))
	}
	together := compiledSites(t, sites)
	for i, s := range sites {
		name := fmt.Sprintf("s%d", i)
		if alone := compiledSites(t, []string{s})[name]; together[name] != alone {
			t.Errorf("site %s is, among others:\n%s\nalone:\n%s", name, together[name], alone)
		}
	}
}

func compiledSites(t *testing.T, sites []string) map[string]string {
	t.Helper()
	cfg, diags := Load(fstest.MapFS{
		"main.floto.hcl": {Data: []byte(dynamicSites + strings.Join(sites, ""))},
		"r.root.hcl":     {Data: []byte(dynamicRoot)},
		"one.tar":        {},
	}, Options{ToolVersion: "0.1.0"})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	out := make(map[string]string)
	for _, s := range cfg.Sites {
		m, diags := s.Compile(CompileInput{Images: map[string]string{"one": PlaceholderID, "two": PlaceholderID}, Patch: PatchInfo{ID: "id"}})
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		files := m.Files()
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(files)) {
			fmt.Fprintf(&b, "== %s\n%s", name, files[name])
		}
		fmt.Fprintf(&b, "containers: %v", s.Containers)
		out[s.Name] = b.String()
	}
	return out
}

// TestDynamicBlocksShared holds that a site pays nothing for blocks that it has
// in common with the site before.
func TestDynamicBlocksShared(t *testing.T) {
	steps := func(sites int) int {
		p := newProject(scaleProject(100, sites, 1, dynamicContainers), Options{ToolVersion: "0.1.0"})
		s := p.evaluate()
		p.checkSites(s.config())
		return p.meter.granted - p.meter.left
	}
	if one, two := steps(2)-steps(1), steps(3)-steps(2); two > one+one/10 || one > 100*blockCost/2 {
		t.Errorf("a second site costs %d, a third one %d steps", one, two)
	}
}
