package planner

import (
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
)

// layered makes layers of 1, 10, 100, … bytes from the steps that made them.
func layered(steps ...string) []patch.Manifest {
	m := patch.Manifest{Platform: "linux/amd64"}
	size := int64(1)
	for _, by := range steps {
		m.Layers = append(m.Layers, patch.Layer{DiffID: digest.FromString(by), Size: size, CreatedBy: by})
		size *= 10
	}
	return []patch.Manifest{m}
}

func TestEstimate(t *testing.T) {
	inputs := func(d *Desired, name string, in map[string]string) {
		for _, i := range d.Images {
			if i.Name == name {
				i.Fingerprint = seal(in)
			}
		}
	}
	for _, c := range []struct {
		name   string
		parent string // the site as it was; none for an initial patch
		want   string
		modify func(*patch.Description, *Desired)
		size   Size
	}{
		{"nothing changed", "a: app=1", "a: app=1", nil, Size{}},
		{"conf alone", "a: app=1 | x=1", "a: app=1 | x=12", nil, Size{Conf: 2, Patch: 2}},
		{"initial", "", "a: app=1 | x=1", nil, Size{Conf: 1, UnknownImages: 1, Unestimated: 1}},
		{
			"initial from a root file system", "", "a: app=1 | x=1",
			func(_ *patch.Description, d *Desired) {
				d.Images[0].Kind, d.Images[0].Build, d.Images[0].Rootfs = KindRootfs, nil, &Rootfs{Size: 7}
			},
			Size{Conf: 1, UnknownImages: 1, NewLayers: 7, Patch: 8},
		},
		{
			"images of others, one under two names", "", "a: app=1 two=2",
			func(_ *patch.Description, d *Desired) {
				for _, i := range d.Images {
					i.Kind, i.Build, i.Source = KindSource, nil, &Source{Digest: pinned, Size: 9}
				}
			},
			Size{UnknownImages: 2, NewLayers: 9, Patch: 9},
		},
		{
			"an image of others in a registry", "a: app=1", "a: app=2",
			func(_ *patch.Description, d *Desired) {
				d.Images[0].Kind, d.Images[0].Build, d.Images[0].Source = KindSource, nil, &Source{Digest: pinned}
			},
			Size{UnknownImages: 1, NewLayers: 15, Patch: 15},
		},
		{
			"files of a context", "a: app=1", "a: app=2",
			func(p *patch.Description, _ *Desired) {
				p.Flotobuild.Images[0].Manifests = layered("rootfs x", "RUN a", "COPY b", "RUN c")
			},
			Size{UnknownImages: 1, NewLayers: 1100, Patch: 1100},
		},
		{
			"an argument", "a: app=1", "a: app=1",
			func(p *patch.Description, d *Desired) {
				p.Flotobuild.Images[0].Manifests = layered("rootfs x", "RUN a", "COPY b")
				inputs(d, "app", map[string]string{"context:app": "1", "platform": "linux/amd64", "arg:X": "1"})
			},
			Size{UnknownImages: 1, NewLayers: 111, Patch: 111},
		},
		{
			"on a base that stays", "a: app=1@base base=b1", "a: app=2@base base=b1",
			func(p *patch.Description, d *Desired) {
				p.Flotobuild.Images[0].Manifests = layered("rootfs x", "COPY base", "COPY b")
				p.Flotobuild.Images[1].Manifests = layered("rootfs x", "COPY base")
				inputs(d, "app", map[string]string{"context:app": "1", "arg:X": "1"})
			},
			Size{UnknownImages: 1, NewLayers: 100, Patch: 100},
		},
		{
			"with its base, shared with another image", "a: base=b1 app=1@base web=1@base", "a: base=b2 app=2@base web=2@base",
			func(p *patch.Description, _ *Desired) {
				p.Flotobuild.Images[0].Manifests = layered("rootfs x", "COPY base")
				p.Flotobuild.Images[1].Manifests = layered("rootfs x", "COPY base", "COPY b")
				p.Flotobuild.Images[2].Manifests = layered("rootfs x", "COPY base", "COPY w")
			},
			Size{UnknownImages: 3, NewLayers: 10 + 100 + 100, Patch: 210},
		},
		{"one of two is new", "a: app=1", "a: app=2 new=1x", nil, Size{UnknownImages: 2, Unestimated: 1, NewLayers: 15}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := want(c.want)
			var parents []*patch.Description
			var parent *patch.Description
			if c.parent != "" {
				parent = have(c.parent)
				parents = append(parents, parent)
			}
			if c.modify != nil {
				c.modify(parent, d)
			}
			if got := Diff(parents, d).Sites[0].Size; got != c.size {
				t.Errorf("\n got %+v\nwant %+v", got, c.size)
			}
		})
	}
}
