package planner

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
)

// The world of the table: images base ← app, base ← web, and tool; written as
// "name=inputs", inputs being any text that stands for a fingerprint.
type world struct {
	images []*Image
	sites  []*Site
}

// want builds a Desired from "site: image=inputs image=inputs | file=content |
// entry=content", the entries being those of the manifest.
func want(lines ...string) *Desired {
	w := &world{}
	for _, line := range lines {
		w.site(line)
	}
	return &Desired{Project: Project{Revision: "v2"}, Images: w.images, Sites: w.sites}
}

func (w *world) site(line string) {
	name, rest, _ := strings.Cut(line, ":")
	images, files, _ := strings.Cut(rest, "|")
	files, entries, _ := strings.Cut(files, "|")
	s := &Site{Name: name, RootDefinitionFile: "plant.root.hcl", Patch: Patch{Name: "plant", Version: "1.0.0"}}
	for _, f := range strings.Fields(images) {
		n, inputs, _ := strings.Cut(f, "=")
		s.Images = append(s.Images, SiteImage{Name: n, Address: address(n)})
		w.image(n, inputs)
	}
	for _, f := range strings.Fields(files) {
		path, content, _ := strings.Cut(f, "=")
		s.Conf = append(s.Conf, file(path, content))
	}
	for _, f := range strings.Fields(entries) {
		path, content, _ := strings.Cut(f, "=")
		s.Manifest = append(s.Manifest, file(path, content))
	}
	w.sites = append(w.sites, s)
}

func address(name string) string { return "image_set.s.image." + name }

func (w *world) image(name, inputs string) {
	if slices.ContainsFunc(w.images, func(i *Image) bool { return i.Name == name }) {
		return
	}
	i := &Image{Address: address(name), Name: name, Kind: KindBuild, Build: &Build{}, Platforms: []string{"linux/amd64"}, Fingerprint: fingerprintOf(inputs)}
	if strings.HasSuffix(inputs, "@base") {
		w.image("base", "b1")
		i.DependsOn = []string{address("base")}
	}
	w.images = append(w.images, i)
}

func fingerprintOf(inputs string) patch.Fingerprint {
	return patch.Fingerprint{Digest: digest.FromString(inputs), Inputs: map[string]string{"context:app": inputs, "platform": "linux/amd64"}}
}

func file(path, content string) File {
	f := File{Path: path, Mode: 0o644}
	if c, ok := strings.CutPrefix(content, "x!"); ok {
		content, f.Mode = c, 0o755
	}
	if c, ok := strings.CutPrefix(content, "->"); ok {
		content, f.Mode = c, ModeSymlink
	}
	f.Digest, f.Size = digest.FromString(content), int64(len(content))
	return f
}

// have builds a parent from the same notation.
func have(line string) *patch.Description {
	w := &world{}
	w.site(line)
	s := w.sites[0]
	d := &patch.Description{
		ID: "parent." + s.Name, SiteName: s.Name, Name: "plant", RootDefinitionFile: "plant.root.hcl",
		ImageMap:   map[string]digest.Digest{},
		Flotobuild: patch.Additions{Version: "1.0.0"},
	}
	for _, si := range s.Images {
		n := slices.IndexFunc(w.images, func(i *Image) bool { return i.Name == si.Name })
		f := w.images[n].Fingerprint
		id := digest.FromString("image " + string(f.Digest))
		d.ImageMap[si.Name] = id
		d.Flotobuild.Images = append(d.Flotobuild.Images, patch.Image{
			Name: si.Name, Address: si.Address, ID: id, Fingerprint: &f,
			Manifests: []patch.Manifest{{Platform: "linux/amd64", Layers: []patch.Layer{{DiffID: id, Size: 10}, {DiffID: "sha256:0", Size: 5}}}},
		})
	}
	for _, f := range s.Conf {
		f.Path = "conf/" + f.Path
		s.Manifest = append(s.Manifest, f)
	}
	for _, f := range s.Manifest {
		d.Flotobuild.Contents = append(d.Flotobuild.Contents, patch.Content{
			Path: f.Path, Size: f.Size, SHA256: f.Digest.Encoded(), Mode: patch.Mode(f.Mode),
		})
	}
	return d
}

// sketch writes a plan in the table's notation: images with their action, then
// sites with change, image changes, conf changes and attributes.
func sketch(p *Plan) string {
	var out []string
	for _, i := range p.Images {
		var why []string
		for _, r := range i.Reasons {
			why = append(why, r.Input)
		}
		out = append(out, fmt.Sprintf("%s:%s(%s)", i.Name, i.Action, strings.Join(why, ",")))
	}
	for _, s := range p.Sites {
		parts := []string{s.Name + ":" + s.Change}
		for _, c := range s.Images {
			mark := map[string]string{ChangeNone: "=", ChangeCreate: "+", ChangeUpdate: "~", ChangeRemove: "-"}[c.Change] + c.Name
			if c.From != "" {
				mark += "<" + c.From
			}
			parts = append(parts, mark)
		}
		for _, c := range s.Conf {
			parts = append(parts, map[string]string{ChangeCreate: "+", ChangeUpdate: "~", ChangeRemove: "-"}[c.Change]+"conf/"+c.Path)
		}
		for _, c := range s.Manifest {
			parts = append(parts, map[string]string{ChangeCreate: "+", ChangeUpdate: "~", ChangeRemove: "-"}[c.Change]+c.Path)
		}
		for _, a := range s.Attributes {
			parts = append(parts, a.Name+":"+a.Old+">"+a.New)
		}
		out = append(out, strings.Join(parts, " "))
	}
	return strings.Join(out, "; ")
}

type change func(d *Desired, parents []*patch.Description)

func TestDiff(t *testing.T) {
	parentImage := func(f func(*patch.Image)) change {
		return func(_ *Desired, p []*patch.Description) { f(&p[0].Flotobuild.Images[0]) }
	}
	sitePatch := func(f func(*Patch)) change {
		return func(d *Desired, _ []*patch.Description) { f(&d.Sites[0].Patch) }
	}
	for _, c := range []struct {
		name   string
		have   []string
		want   []string
		modify change
		plan   string
	}{
		// nothing
		{name: "nothing at all", plan: ""},
		{name: "site without images", want: []string{"a:"}, plan: "a:create"},
		{name: "empty site unchanged", have: []string{"a:"}, want: []string{"a:"}, plan: "a:none"},

		// one site, images
		{name: "initial", want: []string{"a: app=1"}, plan: "app:make(new); a:create +app"},
		{name: "unchanged", have: []string{"a: app=1"}, want: []string{"a: app=1"}, plan: "app:reuse(); a:none =app"},
		{name: "changed", have: []string{"a: app=1"}, want: []string{"a: app=2"}, plan: "app:make(context:app); a:update ~app"},
		{name: "one of two changed", have: []string{"a: app=1 tool=1"}, want: []string{"a: app=2 tool=1"}, plan: "app:make(context:app); tool:reuse(); a:update ~app =tool"},
		{name: "added", have: []string{"a: app=1"}, want: []string{"a: app=1 tool=9"}, plan: "app:reuse(); tool:make(new); a:update =app +tool"},
		{name: "removed", have: []string{"a: app=1 tool=9"}, want: []string{"a: app=1"}, plan: "app:reuse(); a:update =app -tool"},
		{name: "all removed", have: []string{"a: app=1"}, want: []string{"a:"}, plan: "a:update -app"},
		{name: "renamed", have: []string{"a: app=1"}, want: []string{"a: tool=1"}, plan: "tool:reuse(); a:update -app +tool<app"},
		{name: "copied under a second name", have: []string{"a: app=1"}, want: []string{"a: app=1 tool=1"}, plan: "app:reuse(); tool:reuse(); a:update =app +tool<app"},
		{name: "names swapped", have: []string{"a: app=1 tool=2"}, want: []string{"a: app=2 tool=1"}, plan: "app:make(context:app); tool:make(context:app); a:update ~app ~tool"},
		{name: "images out of order", have: []string{"a: app=1 tool=2"}, want: []string{"a: tool=2 app=1"}, plan: "tool:reuse(); app:reuse(); a:none =app =tool"},

		// bases
		{name: "initial with base", want: []string{"a: app=1@base"}, plan: "base:base(needed-by); app:make(new); a:create +app"},
		{name: "base only as context, unchanged", have: []string{"a: app=1@base"}, want: []string{"a: app=1@base"}, plan: "base:reuse(); app:reuse(); a:none =app"},
		{name: "base only as context, dependent changed", have: []string{"a: app=1@base"}, want: []string{"a: app=2@base"}, plan: "base:base(needed-by); app:make(context:app); a:update ~app"},
		{name: "base carried, dependent changed", have: []string{"a: base=b1 app=1@base"}, want: []string{"a: base=b1 app=2@base"}, plan: "base:base(needed-by); app:make(context:app); a:update ~app =base"},
		{name: "base carried and changed", have: []string{"a: base=b0 app=1@base"}, want: []string{"a: base=b1 app=2@base"}, plan: "base:make(context:app); app:make(context:app); a:update ~app ~base"},
		{name: "base changed, dependent of its own", have: []string{"a: base=b0 app=1@base tool=1"}, want: []string{"a: base=b1 app=2@base tool=1"}, plan: "base:make(context:app); app:make(context:app); tool:reuse(); a:update ~app ~base =tool"},
		{name: "one of two dependents changed", have: []string{"a: app=1@base web=1@base"}, want: []string{"a: app=2@base web=1@base"}, plan: "base:base(needed-by); app:make(context:app); web:reuse(); a:update ~app =web"},
		{name: "base removed from the site", have: []string{"a: base=b1 app=1@base"}, want: []string{"a: app=1@base"}, plan: "base:reuse(); app:reuse(); a:update =app -base"},
		{name: "base added to the site", have: []string{"a: app=1@base"}, want: []string{"a: base=b1 app=1@base"}, plan: "base:make(new); app:reuse(); a:update =app +base"},

		// several sites
		{name: "two sites initial share", want: []string{"a: app=1", "b: app=1"}, plan: "app:make(new); a:create +app; b:create +app"},
		{name: "two sites unchanged", have: []string{"a: app=1", "b: app=1"}, want: []string{"a: app=1", "b: app=1"}, plan: "app:reuse(); a:none =app; b:none =app"},
		{name: "second site is new", have: []string{"a: app=1"}, want: []string{"a: app=1", "b: app=1"}, plan: "app:make(new); a:none =app; b:create +app"},
		{name: "second site is behind", have: []string{"a: app=2", "b: app=1"}, want: []string{"a: app=2", "b: app=2"}, plan: "app:make(context:app); a:none =app; b:update ~app"},
		{name: "sites behind by different inputs", have: []string{"a: app=0", "b: app=1"}, want: []string{"a: app=2", "b: app=2"}, plan: "app:make(context:app,context:app); a:update ~app; b:update ~app"},
		{name: "one site changes its conf", have: []string{"a: app=1 | f=1", "b: app=1 | f=1"}, want: []string{"a: app=1 | f=2", "b: app=1 | f=1"}, plan: "app:reuse(); a:update =app ~conf/f; b:none =app"},
		{name: "sites out of order", want: []string{"b:", "a:"}, plan: "a:create; b:create"},
		{name: "parent of another site", have: []string{"z: app=1"}, want: []string{"a: app=1"}, plan: "app:make(new); a:create +app"},
		{name: "base carried by the other site only", have: []string{"a: app=1@base", "b: base=b1"}, want: []string{"a: app=2@base", "b: base=b1"}, plan: "base:base(needed-by); app:make(context:app); a:update ~app; b:none =base"},

		// several parents
		{name: "second parent has it, too", have: []string{"a: app=1", "a: app=1"}, want: []string{"a: app=1"}, plan: "app:reuse(); a:none =app"},
		{name: "second parent lacks it", have: []string{"a: app=1", "a:"}, want: []string{"a: app=1"}, plan: "app:make(new); a:update ~app"},
		{name: "second parent is older", have: []string{"a: app=1", "a: app=0"}, want: []string{"a: app=1"}, plan: "app:make(context:app); a:update ~app"},
		{name: "second parent has another result", have: []string{"a: app=1", "a: app=1"}, want: []string{"a: app=1"}, modify: func(_ *Desired, p []*patch.Description) {
			p[1].Flotobuild.Images[0].ID, p[1].ImageMap["app"] = "sha256:x", "sha256:x"
		}, plan: "app:make(image); a:update ~app"},

		// fingerprints and platforms
		{name: "parent without fingerprint", have: []string{"a: app=1"}, want: []string{"a: app=1"}, modify: parentImage(func(i *patch.Image) { i.Fingerprint = nil }), plan: "app:make(fingerprint); a:update ~app"},
		{name: "fingerprint by other rules", have: []string{"a: app=1"}, want: []string{"a: app=1"}, modify: parentImage(func(i *patch.Image) { i.Fingerprint.Digest = "sha256:old" }), plan: "app:make(fingerprint); a:update ~app"},
		{name: "input gone and input new", have: []string{"a: app=1"}, want: []string{"a: app=2"}, modify: func(d *Desired, p []*patch.Description) {
			d.Images[0].Fingerprint.Inputs = map[string]string{"arg:B": "1"}
			p[0].Flotobuild.Images[0].Fingerprint.Inputs = map[string]string{"arg:A": "1"}
		}, plan: "app:make(arg:A,arg:B); a:update ~app"},
		{name: "the Dockerfile is one reason, not two", have: []string{"a: app=1"}, want: []string{"a: app=2"}, modify: func(d *Desired, p []*patch.Description) {
			d.Images[0].Build.Dockerfile = "Dockerfile"
			d.Images[0].Fingerprint.Inputs = map[string]string{"dockerfile": "2", "context:Dockerfile": "2", "context:a": "2"}
			p[0].Flotobuild.Images[0].Fingerprint.Inputs = map[string]string{"dockerfile": "1", "context:Dockerfile": "1", "context:a": "1"}
		}, plan: "app:make(context:a,dockerfile); a:update ~app"},
		{name: "platform missing in parent", have: []string{"a: app=1"}, want: []string{"a: app=1"}, modify: parentImage(func(i *patch.Image) { i.Manifests = nil }), plan: "app:make(platform); a:update ~app"},
		{name: "platform in another spelling", have: []string{"a: app=1"}, want: []string{"a: app=1"}, modify: parentImage(func(i *patch.Image) { i.Manifests[0].Platform = "linux/x86_64" }), plan: "app:reuse(); a:none =app"},
		{name: "platforms of vendored images are theirs", have: []string{"a: app=1"}, want: []string{"a: app=1"}, modify: func(d *Desired, p []*patch.Description) {
			d.Images[0].Kind = KindSource
			p[0].Flotobuild.Images[0].Manifests[0].Platform = "windows/amd64"
		}, plan: "app:reuse(); a:none =app"},

		// conf
		{name: "conf initial", want: []string{"a: | x=1 y=2"}, plan: "a:create +conf/x +conf/y"},
		{name: "conf unchanged", have: []string{"a: | x=1"}, want: []string{"a: | x=1"}, plan: "a:none"},
		{name: "conf changed, added, removed", have: []string{"a: | x=1 z=1"}, want: []string{"a: | x=2 y=1"}, plan: "a:update ~conf/x +conf/y -conf/z"},
		{name: "conf made executable", have: []string{"a: | x=1"}, want: []string{"a: | x=x!1"}, plan: "a:update ~conf/x"},
		{name: "conf file became a link", have: []string{"a: | x=y"}, want: []string{"a: | x=->y"}, plan: "a:update ~conf/x"},
		{name: "conf mode not recorded", have: []string{"a: | x=1"}, want: []string{"a: | x=1"}, modify: func(_ *Desired, p []*patch.Description) { p[0].Flotobuild.Contents[0].Mode = 0 }, plan: "a:none"},
		{name: "generated files do not count", have: []string{"a: | .GIT_DESCRIBE=1 .GIT_TIMESTAMP=2"}, want: []string{"a:"}, plan: "a:none"},
		{name: "other entries do not count", have: []string{"a: | x=1"}, want: []string{"a: | x=1"}, modify: func(_ *Desired, p []*patch.Description) {
			p[0].Flotobuild.Contents = append(p[0].Flotobuild.Contents, patch.Content{Path: "images/e"})
		}, plan: "a:none"},

		// manifest and documents
		{name: "manifest initial", want: []string{"a: | | manifest/m=1 documents/d=1"}, plan: "a:create +documents/d +manifest/m"},
		{name: "manifest unchanged", have: []string{"a: | x=1 | manifest/m=1 documents/d=1"}, want: []string{"a: | x=1 | manifest/m=1 documents/d=1"}, plan: "a:none"},
		{name: "document changed", have: []string{"a: | | manifest/m=1 documents/d=1"}, want: []string{"a: | | manifest/m=1 documents/d=2"}, plan: "a:update ~documents/d"},
		{name: "document renamed", have: []string{"a: | | documents/d=1"}, want: []string{"a: | | documents/e=1"}, plan: "a:update -documents/d +documents/e"},
		{name: "parent without manifest", have: []string{"a:"}, want: []string{"a: | | manifest/m=1"}, plan: "a:update +manifest/m"},

		// attributes
		{name: "version", have: []string{"a:"}, want: []string{"a:"}, modify: sitePatch(func(p *Patch) { p.Version = "1.1.0" }), plan: "a:update version:1.0.0>1.1.0"},
		{name: "name", have: []string{"a:"}, want: []string{"a:"}, modify: sitePatch(func(p *Patch) { p.Name = "other" }), plan: "a:update name:plant>other"},
		{name: "comment alone is no change", have: []string{"a:"}, want: []string{"a:"}, modify: sitePatch(func(p *Patch) { p.Comment = "c" }), plan: "a:none"},
		{name: "comment with a change", have: []string{"a:"}, want: []string{"a:"}, modify: sitePatch(func(p *Patch) { p.Version, p.Comment = "2.0.0", "c" }), plan: "a:update version:1.0.0>2.0.0 comment:>c"},
		{name: "root definition", have: []string{"a:"}, want: []string{"a:"}, modify: func(d *Desired, _ []*patch.Description) { d.Sites[0].RootDefinitionFile = "r" }, plan: "a:update root_definition:plant.root.hcl>r"},
		{name: "revision alone is no change", have: []string{"a:"}, want: []string{"a:"}, modify: func(d *Desired, _ []*patch.Description) { d.Project.Revision = "v9-dirty" }, plan: "a:none"},

		// robustness
		{name: "nil parent", have: []string{"a: app=1"}, want: []string{"a: app=1"}, modify: func(_ *Desired, p []*patch.Description) { p[0] = nil }, plan: "app:make(new); a:create +app"},
		{name: "image that is not described", have: []string{"a: app=1"}, want: []string{"a: app=1"}, modify: func(d *Desired, _ []*patch.Description) { d.Images = nil }, plan: "a:update ~app"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var parents []*patch.Description
			for _, line := range c.have {
				parents = append(parents, have(line))
			}
			d := want(c.want...)
			if c.modify != nil {
				c.modify(d, parents)
			}
			got := Diff(parents, d)
			if s := sketch(got); s != c.plan {
				t.Errorf("plan\n got %s\nwant %s", s, c.plan)
			}
			if !reflect.DeepEqual(got, Diff(parents, d)) {
				t.Error("two equal calls give two plans")
			}
		})
	}
}

func TestDiffFigures(t *testing.T) {
	p := Diff([]*patch.Description{have("a: app=1 tool=1 | x=12")}, want("a: app=2 tool=1 web=1 | x=123 y=4"))
	s := p.Sites[0]
	if s.Size != (Size{Conf: 4, UnknownImages: 1, NewLayers: 15, Patch: 19}) {
		t.Errorf("size %+v", s.Size)
	}
	app := s.Images[0]
	if app.OldLayers != 2 || app.OldSize != 15 || app.OldID == "" {
		t.Errorf("figures of the old image: %+v", app)
	}
	if len(s.Parents) != 1 || s.Parents[0].ID != "parent.a" {
		t.Errorf("parents %+v", s.Parents)
	}
	if r := app.Reasons; len(r) != 1 || r[0] != (Reason{"context:app", "1", "2"}) {
		t.Errorf("reasons %+v", r)
	}
}

func TestChanged(t *testing.T) {
	parent := have("a: app=1 tool=1 | x=1")
	old := parent.ImageMap["app"]
	for _, c := range []struct {
		name string
		want string
		ids  map[string]digest.Digest
		yes  bool
	}{
		{"unchanged", "a: app=1 tool=1 | x=1", nil, false},
		{"rebuilt to the same", "a: app=2 tool=1 | x=1", map[string]digest.Digest{"app": old}, false},
		{"rebuilt to another", "a: app=2 tool=1 | x=1", map[string]digest.Digest{"app": "sha256:n"}, true},
		{"id unknown", "a: app=2 tool=1 | x=1", nil, true},
		{"same image, other conf", "a: app=2 tool=1 | x=2", map[string]digest.Digest{"app": old}, true},
		{"same image, other document", "a: app=2 tool=1 | x=1 | documents/d=1", map[string]digest.Digest{"app": old}, true},
		{"image removed", "a: app=1 | x=1", nil, true},
		{"image added", "a: app=1 tool=1 web=5 | x=1", map[string]digest.Digest{"web": old}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := Diff([]*patch.Description{parent}, want(c.want)).Sites[0]
			if got := Changed(s, []*patch.Description{parent}, c.ids); got != c.yes {
				t.Errorf("got %v", got)
			}
		})
	}
	if s := Diff(nil, want("a:")).Sites[0]; !Changed(s, nil, nil) {
		t.Error("an initial patch is always a change")
	}
}
