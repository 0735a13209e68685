package report

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

// A world is a project in a few words, from which parents and what is wanted
// now are made.
type world struct {
	project planner.Project
	images  []*worldImage
	sites   []*worldSite
	lock    []planner.LockChange
}

type worldImage struct {
	name, base string
	kind       string
	inputs     map[string]string
	platforms  []string
	size       int64 // of a rootfs or source
	layers     []patch.Layer
}

type worldSite struct {
	name, patchName, version, comment string
	images                            []string
	conf, manifest                    map[string]string // content by path
	output                            string
}

// plant is a base, two builds on it, and the site that has the builds.
func plant() *world {
	return &world{
		project: planner.Project{Revision: "v2.1.0-3-g1a2b3c4", Timestamp: "2026-11-20T10:00:00Z", Author: "Ada"},
		images: []*worldImage{
			{name: "base", kind: planner.KindRootfs, size: 1_800_000, inputs: map[string]string{"rootfs": "r1"}, layers: layers(1_800_000, "")},
			{
				name: "historian", base: "base", kind: planner.KindBuild,
				inputs: map[string]string{"context:app/main.go": "m1", "context:etc/limits.yaml": "l1", "dockerfile": "d1", "arg:RELEASE": "2.0.0"},
				layers: layers(1_800_000, "", 33_000_000, "RUN |1 RELEASE=2.0.0 /bin/sh -c apk add db # buildkit", 1_150_000, "COPY app/ /srv # buildkit", 900, "RUN /bin/sh -c /srv/index # buildkit"),
			},
			{
				name: "panel", base: "base", kind: planner.KindBuild,
				inputs: map[string]string{"context:www/index.html": "w1", "dockerfile": "d2", "target": "prod", "label:vendor": "plant"},
				layers: layers(1_800_000, "", 96_300, "COPY www/ /www # buildkit"),
			},
		},
		sites: []*worldSite{hamburg()},
	}
}

func hamburg() *worldSite {
	return &worldSite{
		name: "hamburg", patchName: "plant", version: "2.0.0", images: []string{"historian", "panel"}, output: "dist",
		conf:     map[string]string{"config/limits.yaml": "limit: 1\n", "config/units.yaml": "bar\n", "roots/plant.root.hcl": "root\n"},
		manifest: map[string]string{"manifest/manifest.json": "{}", "documents/hosts.txt": "main\n"},
	}
}

// layers makes layers of sizes and steps.
func layers(sizesAndSteps ...any) []patch.Layer {
	var out []patch.Layer
	for n := 0; n < len(sizesAndSteps); n += 2 {
		size, by := int64(sizesAndSteps[n].(int)), sizesAndSteps[n+1].(string)
		id := digest.FromString(fmt.Sprint(size, by))
		out = append(out, patch.Layer{DiffID: id, Digest: id, Size: size, CreatedBy: by})
	}
	return out
}

func (w *world) image(name string) *worldImage {
	n := slices.IndexFunc(w.images, func(i *worldImage) bool { return i.name == name })
	return w.images[n]
}

func (w *world) set(image, input, value string) { w.image(image).inputs[input] = value }

func (i *worldImage) arch() []string {
	if i.platforms == nil {
		return []string{"linux/amd64"}
	}
	return i.platforms
}

func address(name string) string { return "image_set.plant.image." + name }

func (w *world) fingerprint(i *worldImage) patch.Fingerprint {
	inputs := map[string]string{"platform": strings.Join(i.arch(), ",")}
	for k, v := range i.inputs {
		inputs[k] = v
	}
	if i.base != "" {
		inputs["image:"+i.base] = w.fingerprint(w.image(i.base)).Digest.String()
	}
	b, _ := json.Marshal(inputs)
	return patch.Fingerprint{Digest: digest.FromBytes(b), Inputs: inputs}
}

// desired is what the sites should have.
func (w *world) desired() *planner.Desired {
	d := &planner.Desired{Project: w.project, Engine: planner.Engine{Compression: "zstd"}, LockChanges: w.lock}
	for _, i := range w.images {
		img := &planner.Image{Address: address(i.name), Name: i.name, Kind: i.kind, Platforms: i.arch(), Fingerprint: w.fingerprint(i)}
		switch i.kind {
		case planner.KindBuild:
			img.Build = &planner.Build{Context: "images/" + i.name, Dockerfile: "Dockerfile"}
		case planner.KindRootfs:
			img.Rootfs = &planner.Rootfs{File: i.name + ".tar", Digest: digest.FromString(i.name), Size: i.size}
		case planner.KindSource:
			img.Source = &planner.Source{Ref: "registry.example/opc:3", Digest: digest.FromString(i.inputs["source"]), Size: i.size}
		}
		if i.base != "" {
			img.DependsOn = []string{address(i.base)}
		}
		d.Images = append(d.Images, img)
	}
	for _, s := range w.sites {
		site := &planner.Site{
			Name: s.name, Address: "site." + s.name, RootDefinitionFile: "roots/plant.root.hcl",
			Patch: planner.Patch{Name: s.patchName, Version: s.version, Comment: s.comment, Output: s.output},
			Conf:  files(s.conf), Manifest: files(s.manifest),
		}
		for _, n := range s.images {
			site.Images = append(site.Images, planner.SiteImage{Name: n, Address: address(n)})
		}
		d.Sites = append(d.Sites, site)
	}
	return d
}

func files(content map[string]string) []planner.File {
	var out []planner.File
	for path, text := range content {
		out = append(out, planner.File{Path: path, Mode: 0o644, Size: int64(len(text)), Digest: digest.FromString(text)})
	}
	slices.SortFunc(out, func(a, b planner.File) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// parent is the patch that gave a site all of this.
func (w *world) parent(site string) *patch.Description {
	s := w.sites[slices.IndexFunc(w.sites, func(s *worldSite) bool { return s.name == site })]
	d := &patch.Description{
		ID: "2026-11-20T10-00-00.000Z-" + s.patchName + "-" + s.version + "." + s.name, SiteName: s.name, Name: s.patchName,
		Comment: s.comment, RootDefinitionFile: "roots/plant.root.hcl", ImageMap: map[string]digest.Digest{},
		Flotobuild: patch.Additions{Version: s.version},
	}
	for _, i := range w.images {
		img := w.built(i)
		if !slices.Contains(s.images, i.name) {
			d.Flotobuild.Bases = append(d.Flotobuild.Bases, img)
			continue
		}
		d.ImageMap[i.name] = img.ID
		d.Flotobuild.Images = append(d.Flotobuild.Images, img)
	}
	for _, f := range files(s.conf) {
		d.Flotobuild.Contents = append(d.Flotobuild.Contents, patch.Content{Path: patch.ConfDir + f.Path, Size: f.Size, SHA256: f.Digest.Encoded()})
	}
	for _, f := range files(s.manifest) {
		d.Flotobuild.Contents = append(d.Flotobuild.Contents, patch.Content{Path: f.Path, Size: f.Size, SHA256: f.Digest.Encoded()})
	}
	return d
}

func (w *world) built(i *worldImage) patch.Image {
	f := w.fingerprint(i)
	b, _ := json.Marshal(i.layers)
	img := patch.Image{Name: i.name, Address: address(i.name), ID: digest.FromBytes(b), Fingerprint: &f}
	for _, p := range i.arch() {
		img.Manifests = append(img.Manifests, patch.Manifest{Platform: p, Layers: i.layers})
	}
	return img
}

// build is what builds give for all sites, whose parents are given.
func (w *world) build(plan *planner.Plan, parents []*patch.Description, steps map[string][]planner.Step) *planner.Built {
	out := &planner.Built{Created: patch.NewTime(time.Unix(1700000000, 0)), Sites: map[string]planner.BuiltSite{}, Steps: map[string]map[string][]planner.Step{}}
	has := make(map[digest.Digest]bool)
	for _, p := range parents {
		for _, i := range p.Flotobuild.Images {
			for _, l := range i.Manifests[0].Layers {
				has[l.DiffID] = true
			}
		}
	}
	for name, list := range steps {
		out.Steps[address(name)] = map[string][]planner.Step{}
		for _, p := range w.image(name).arch() {
			out.Steps[address(name)][p] = list
		}
	}
	for n, s := range plan.Sites {
		d := w.parent(s.Name)
		size := int64(4321 + n)
		sent := make(map[digest.Digest]bool)
		for _, i := range d.Flotobuild.Images {
			for _, l := range i.Manifests[0].Layers {
				if !has[l.DiffID] && !sent[l.DiffID] {
					sent[l.DiffID] = true
					size += l.Size
					d.Flotobuild.Transport = append(d.Flotobuild.Transport, patch.LayerTransport{DiffID: l.DiffID, Kind: patch.TransportFull})
				}
			}
		}
		if s.Change != planner.ChangeNone {
			out.Sites[s.Name] = planner.BuiltSite{Description: d, Size: size}
		}
	}
	return out
}
