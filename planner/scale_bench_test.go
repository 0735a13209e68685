package planner

import (
	"fmt"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
)

// fleet makes sites that carry the same images, and their parents; every tenth
// image has changed. Each image has as many layers as there are.
func fleet(sites, images, layers int) ([]*patch.Description, *Desired) {
	d := &Desired{Project: Project{Revision: "v2"}}
	var all []SiteImage
	parent := &patch.Description{
		Name: "plant", RootDefinitionFile: "plant.root.hcl", ImageMap: make(map[string]digest.Digest),
		Flotobuild: patch.Additions{Version: "1.0.0"},
	}
	for n := range images {
		name := fmt.Sprintf("i%05d", n)
		old := fingerprintOf(name)
		now := old
		if n%10 == 0 {
			now = fingerprintOf("new " + name)
		}
		d.Images = append(d.Images, &Image{Address: address(name), Name: name, Kind: KindBuild, Build: &Build{}, Platforms: []string{"linux/amd64"}, Fingerprint: now})
		all = append(all, SiteImage{Name: name, Address: address(name)})
		m := patch.Manifest{Platform: "linux/amd64"}
		for l := range layers {
			id := digest.FromString(fmt.Sprint(name, l))
			m.Layers = append(m.Layers, patch.Layer{DiffID: id, Digest: id, Size: 1000, CreatedBy: fmt.Sprint("RUN ", l)})
		}
		id := digest.FromString(name)
		parent.ImageMap[name] = id
		parent.Flotobuild.Images = append(parent.Flotobuild.Images, patch.Image{Name: name, Address: address(name), ID: id, Fingerprint: &old, Manifests: []patch.Manifest{m}})
	}
	var parents []*patch.Description
	for n := range sites {
		site := fmt.Sprintf("s%04d", n)
		d.Sites = append(d.Sites, &Site{Name: site, RootDefinitionFile: "plant.root.hcl", Patch: Patch{Name: "plant", Version: "1.0.0"}, Images: all})
		p := *parent
		p.ID, p.SiteName = "parent."+site, site
		parents = append(parents, &p)
	}
	return parents, d
}

// BenchmarkDiff compares fleets: layers are those of a site. It has to stay
// linear in sites, images and layers.
func BenchmarkDiff(b *testing.B) {
	for _, c := range []struct{ sites, images, layers int }{
		{1, 10, 10},
		{1, 100, 10},
		{1, 1_000, 10},
		{1, 10_000, 10},
		{10, 100, 10},
		{100, 100, 10},
		{1_000, 100, 10},
		{1_000, 100, 100},
	} {
		b.Run(fmt.Sprintf("sites=%d/images=%d/layers=%d", c.sites, c.images, c.images*c.layers), func(b *testing.B) {
			parents, d := fleet(c.sites, c.images, c.layers)
			b.ReportAllocs()
			for b.Loop() {
				Diff(parents, d)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(c.sites*c.images), "ns/image")
		})
	}
}

// BenchmarkRefine makes plans of fleets exact.
func BenchmarkRefine(b *testing.B) {
	for _, c := range []struct{ sites, images int }{{1, 100}, {1, 1_000}, {1, 10_000}, {1_000, 100}} {
		b.Run(fmt.Sprintf("sites=%d/images=%d", c.sites, c.images), func(b *testing.B) {
			parents, d := fleet(c.sites, c.images, 10)
			plan := Diff(parents, d)
			built := &Built{Sites: make(map[string]BuiltSite)}
			for n, p := range parents {
				built.Sites[d.Sites[n].Name] = BuiltSite{Description: p, Size: 1}
			}
			b.ReportAllocs()
			for b.Loop() {
				Refine(plan, parents, built)
			}
		})
	}
}

// BenchmarkPlanFile writes and reads the plan of a fleet.
func BenchmarkPlanFile(b *testing.B) {
	for _, sites := range []int{10, 100, 1_000} {
		plan := Diff(fleet(sites, 100, 10))
		text, err := Encode(plan)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("encode/sites=%d", sites), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := Encode(plan); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("decode/sites=%d", sites), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := Decode(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
