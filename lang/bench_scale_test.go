package lang

import (
	"fmt"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// BenchmarkLoadScale loads projects of 1,000 sites that choose from ever more
// images, which are made by for_each. Each site runs ten containers.
func BenchmarkLoadScale(b *testing.B) {
	for _, images := range []int{10, 100, 1000, 10_000} {
		b.Run(fmt.Sprintf("images=%d,sites=1000", images), func(b *testing.B) {
			benchmarkLoad(b, scaleProject(images, 1000, 10, fixedContainer), 1000)
		})
	}
	b.Run("images=1000,sites=100", func(b *testing.B) {
		benchmarkLoad(b, scaleProject(1000, 100, 10, fixedContainer), 100)
	})
}

// BenchmarkLoadVariable loads projects in which every site runs a container of
// every image, and each container has values of the site.
func BenchmarkLoadVariable(b *testing.B) {
	for _, c := range []struct{ images, sites int }{{10, 1000}, {100, 1000}, {1000, 10}, {1000, 100}, {1000, 1000}} {
		b.Run(fmt.Sprintf("images=%d,sites=%d", c.images, c.sites), func(b *testing.B) {
			benchmarkLoad(b, scaleProject(c.images, c.sites, c.images, variableContainer), c.sites)
		})
	}
}

// BenchmarkLoadDiffering is BenchmarkLoadVariable with image names and ports that
// differ at each site, so that nothing can be shared between the sites.
func BenchmarkLoadDiffering(b *testing.B) {
	for _, sites := range []int{10, 100} {
		b.Run(fmt.Sprintf("images=1000,sites=%d", sites), func(b *testing.B) {
			benchmarkLoad(b, scaleProject(1000, sites, 1000, differingContainer), sites)
		})
	}
}

// BenchmarkLoadDynamic loads projects in which a dynamic block makes the
// containers, the same ones for all sites.
func BenchmarkLoadDynamic(b *testing.B) {
	for _, sites := range []int{10, 100} {
		b.Run(fmt.Sprintf("images=1000,sites=%d", sites), func(b *testing.B) {
			benchmarkLoad(b, scaleProject(1000, sites, 1, dynamicContainers), sites)
		})
	}
}

const dynamicContainers = `dynamic "container" {
  for_each = range(1000)
  labels   = ["c${container.value}-%[1]d"]
  content {
    image = "${site.vars.prefix}${container.value}"
    host  = "main"
    ports = ["${site.vars.port}:80"]
    env   = { DOMAIN = site.vars.domain }
  }
}
`

const fixedContainer = `container "c%[1]d" {
  image = "i%[1]d"
  host  = "main"
}
`

const variableContainer = `container "c%[1]d" {
  image = "${site.vars.prefix}%[1]d"
  host  = "main"
  ports = ["${site.vars.port}:80"]
  env   = { DOMAIN = site.vars.domain, NAME = "${site.name}-%[1]d" }
}
`

const differingContainer = `container "c%[1]d" {
  image = trimprefix("${site.name}i%[1]d", site.name)
  host  = "main"
  ports = ["${site.vars.own}:80"]
  env   = { DOMAIN = site.vars.domain, NAME = "${site.name}-%[1]d" }
}
`

// scaleProject is a project of so many images and sites, whose root definition
// has containers of the given form.
func scaleProject(images, sites, containers int, form string) fstest.MapFS {
	const src = `locals {
  host = "main"
}
variable "images" {
  type = set(string)
}
variable "sites" {
  type = set(string)
}
image_set "app" {
  image "service" {
    for_each = var.images
    context  = "images/${each.key}"
    args     = { NAME = each.key, HOST = local.host }
    labels   = { service = upper(each.key) }
  }
}
root_definition "a" {
  file       = "a.root.hcl"
  image_sets = [image_set.app]
}
site "plant" {
  for_each        = var.sites
  root_definition = root_definition.a
  vars            = { domain = "${site.name}.example", port = 8080, prefix = "i", own = 1024 + length(site.name) }
  patch {
    version = "1.0.0"
  }
}
`
	vars := fmt.Sprintf("images = [%s]\nsites = [%s]\n", quotedNames("i", images), quotedNames("s", sites))
	var root strings.Builder
	root.WriteString("host \"main\" {\n  address = \"10.0.0.1\"\n}\n")
	for i := range containers {
		fmt.Fprintf(&root, form, i)
	}
	return fstest.MapFS{
		"main.floto.hcl":     {Data: []byte(src)},
		"flotobuild.hclvars": {Data: []byte(vars)},
		"a.root.hcl":         {Data: []byte(root.String())},
	}
}

func quotedNames(prefix string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%q, ", fmt.Sprintf("%s%d", prefix, i))
	}
	return b.String()
}

// benchmarkLoad loads a project, and reports the greatest heap besides the time.
func benchmarkLoad(b *testing.B, fsys fstest.MapFS, sites int) {
	b.ReportAllocs()
	runtime.GC()
	stop := watchHeap()
	for b.Loop() {
		cfg, diags := Load(fsys, Options{ToolVersion: "0.1.0"})
		if diags.HasErrors() || len(cfg.Sites) != sites {
			b.Fatal(diags)
		}
	}
	b.ReportMetric(float64(stop())/(1<<20), "peak-MiB")
}

// watchHeap looks at the heap until it is stopped, and gives the most bytes of
// objects that it has seen.
func watchHeap() (stop func() uint64) {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	quit, result := make(chan struct{}), make(chan uint64)
	go func() {
		var most uint64
		for tick := time.NewTicker(5 * time.Millisecond); ; {
			metrics.Read(sample)
			most = max(most, sample[0].Value.Uint64())
			select {
			case <-quit:
				tick.Stop()
				result <- most
				return
			case <-tick.C:
			}
		}
	}()
	return func() uint64 { close(quit); return <-result }
}
