package report

import (
	"fmt"
	"slices"

	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

// A situation is a plan in which one thing is of interest.
type situation struct {
	name string
	// change is made to the plant, which is what the site has.
	change func(w *world)
	before func(w *world)              // makes another plant of what the site has
	have   func() []*patch.Description // instead of the plant
	steps  map[string][]planner.Step   // with a build
	policy *lang.Policy                // of the first site
	modify func(p *planner.Plan)       // what a command fills in
	vars   []planner.PlanVariable
	build  bool
}

func (s situation) plan() *planner.Plan {
	w, was := plant(), plant()
	if s.before != nil {
		s.before(was)
		s.before(w)
	}
	if s.change != nil {
		s.change(w)
	}
	var parents []*patch.Description
	if s.have != nil {
		parents = s.have()
	} else {
		for _, site := range was.sites {
			parents = append(parents, was.parent(site.name))
		}
	}
	p := planner.Diff(parents, w.desired())
	p.ToolVersion = "1.0.0"
	if s.modify != nil {
		s.modify(p)
	}
	if s.build {
		p = planner.Refine(p, parents, w.build(p, parents, s.steps))
	}
	if s.policy != nil {
		cfg := &lang.Config{Sites: []*lang.Site{{Name: "hamburg", Patch: lang.Patch{Policy: *s.policy}}}}
		planner.CheckPolicy(cfg, p, nil)
	}
	return p
}

// noParent is for sites without a patch.
func noParent() []*patch.Description { return nil }

// oneFile is the change of a file of the application.
func oneFile(w *world) {
	w.set("historian", "context:app/main.go", "m2")
	w.image("historian").layers = layers(1_800_000, "", 33_000_000, "RUN |1 RELEASE=2.0.0 /bin/sh -c apk add db # buildkit", 1_150_321, "COPY app/ /srv # buildkit", 902, "RUN /bin/sh -c /srv/index # buildkit")
}

// historianSteps are the lines of its Dockerfile.
var historianSteps = map[string][]planner.Step{"historian": {
	{Base: true},
	{Place: "images/historian/Dockerfile:4", Text: "RUN apk add db", Reads: []string{"arg:RELEASE"}},
	{Place: "images/historian/Dockerfile:5", Text: "COPY app/ /srv", Reads: []string{"context:app/*"}},
	{Place: "images/historian/Dockerfile:6", Text: "RUN /srv/index"},
}}

// fleet gives a world so many sites.
func fleet(n int) func(*world) {
	return func(w *world) {
		w.sites = nil
		for i := range n {
			s := hamburg()
			s.name = fmt.Sprintf("site%02d", i)
			s.output = "dist/" + s.name
			w.sites = append(w.sites, s)
		}
	}
}

func manyFiles(w *world) {
	for i := range 220 {
		w.sites[0].conf[fmt.Sprintf("config/recipes/recipe-%03d.json", i)] = "{}"
	}
	for i := range 30 {
		w.set("historian", fmt.Sprintf("context:app/part%02d.go", i), "new")
	}
}

// hostile has names that try to be something else.
func hostile(w *world) {
	s := w.sites[0]
	s.conf["config/<img src=http://127.0.0.1:9/x>.yaml"] = "x"
	s.conf["config/\"><script>alert(1)</script>"] = "x"
	s.conf["config/a\nPlan: 0 patches\x1b[2J\u202egpj.exe"] = "x"
	s.conf["config/制御盤/設定_超長い名前のファイル_その一.yaml"] = "x"
	s.conf["config/Größe/e\u0301tat \U0001F3ED.yaml"] = "x"
	s.version = "2.1.0'-->{{.}}"
	w.set("historian", "arg:</style><script>alert(2)</script>", "javascript:alert(3)")
	w.project.Revision = "<svg onload=alert(4)>"
}

var situations = slices.Concat(patchSituations, envelopeSituations)

// patchSituations are plans without envelopes.
var patchSituations = []situation{
	{name: "initial", have: noParent},
	{name: "initial_source", have: noParent, change: func(w *world) {
		w.images = append(w.images, &worldImage{name: "opc", kind: planner.KindSource, size: 48_000_000, inputs: map[string]string{"source": "s1"}})
		w.sites[0].images = []string{"opc"}
	}},
	{name: "no_change"},
	{name: "one_file", change: oneFile},
	{name: "version_only", change: func(w *world) { w.sites[0].version = "2.1.0" }},
	{name: "comment_only", change: func(w *world) { w.sites[0].comment = "for the audit" }},
	{name: "comment_too", change: func(w *world) { w.sites[0].comment, w.sites[0].version = "for the audit", "2.1.0" }},
	{name: "image_added", change: func(w *world) {
		w.images = append(w.images, &worldImage{name: "alarm", base: "base", kind: planner.KindBuild, inputs: map[string]string{"dockerfile": "d3"}})
		w.sites[0].images = append(w.sites[0].images, "alarm")
	}},
	{name: "image_removed", change: func(w *world) { w.sites[0].images = []string{"historian"} }},
	{name: "image_renamed", change: func(w *world) {
		w.image("panel").name = "screen"
		w.sites[0].images = []string{"historian", "screen"}
	}},
	{name: "base_changed", change: func(w *world) { w.set("base", "rootfs", "r2") }},
	{name: "arg_changed", change: func(w *world) { w.set("historian", "arg:RELEASE", "2.1.0"); w.set("historian", "arg:DEBUG", "1") }},
	{name: "label_changed", change: func(w *world) { w.set("panel", "label:vendor", "works"); w.set("panel", "label:line", "4") }},
	{name: "target_changed", change: func(w *world) { w.set("panel", "target", "debug") }},
	{name: "platform_changed", change: func(w *world) { w.image("panel").platforms = []string{"linux/arm64"} }},
	{name: "secret_new", change: func(w *world) { w.set("historian", "secret:token", "present") }},
	{name: "dockerfile_changed", change: func(w *world) { w.set("historian", "dockerfile", "d9") }},
	{name: "conf_changed", change: func(w *world) {
		s := w.sites[0]
		s.conf["config/new.yaml"], s.conf["config/limits.yaml"] = "new", "limit: 20\n"
		delete(s.conf, "config/units.yaml")
	}},
	{name: "manifest_changed", change: func(w *world) {
		w.sites[0].manifest["manifest/manifest.json"] = `{"containers":1}`
		w.sites[0].manifest["documents/alarms.txt"] = "none"
	}},
	{name: "several_parents", change: oneFile, have: severalParents, modify: func(p *planner.Plan) {
		p.BindBare("hamburg", p.Sites[0].Parents[1].ID)
	}},
	{name: "diverging_parents", before: func(w *world) { fleet(2)(w) }, change: oneFile, have: divergingParents},
	{name: "parent_none", before: func(w *world) { fleet(2)(w) }, have: func() []*patch.Description {
		w := plant()
		fleet(2)(w)
		return []*patch.Description{w.parent("site01")}
	}},
	{name: "parent_unknown_inputs", have: func() []*patch.Description {
		d := plant().parent("hamburg")
		d.Flotobuild.Images[0].Fingerprint = nil
		return []*patch.Description{d}
	}},
	{name: "dirty_tree", change: func(w *world) {
		w.project.Revision, w.project.Dirty = w.project.Revision+"-dirty", true
		w.sites[0].version = "2.1.0"
	}},
	{name: "base_for_another_only", change: func(w *world) { w.set("panel", "context:www/index.html", "w2") }},
	{name: "exact", change: oneFile, build: true, steps: historianSteps},
	{name: "exact_initial", have: noParent, build: true, steps: historianSteps},
	{name: "exact_no_layer", change: func(w *world) { w.set("historian", "label:x", "1"); w.sites[0].version = "2.1.0" }, build: true, steps: historianSteps},
	{name: "exact_no_change", build: true, change: func(w *world) { w.set("historian", "arg:UNUSED", "1") }, modify: func(p *planner.Plan) { p.Sites[0].Change = planner.ChangeNone }},
	{name: "exact_platforms", build: true, steps: historianSteps, before: func(w *world) {
		w.image("historian").platforms = []string{"linux/amd64", "linux/arm64"}
	}, change: oneFile},
	{name: "exact_by_chance", build: true, change: func(w *world) {
		oneFile(w)
		w.set("historian", "context:app/main.go", "m1")
		w.set("historian", "context:etc/limits.yaml", "l2")
	}, steps: historianSteps},
	{name: "policy_violated", change: func(w *world) {
		w.sites[0].images = []string{"historian"}
		w.project.Dirty, w.project.Revision = true, w.project.Revision+"-dirty"
	}, policy: &lang.Policy{KeepImages: true, CleanTree: true, MaxSize: 1000}},
	{name: "policy_undecided", change: oneFile, policy: &lang.Policy{MaxSize: 1000, CleanTree: true}},
	{name: "policy_size_violated", change: oneFile, build: true, steps: historianSteps, policy: &lang.Policy{MaxSize: 1000}},
	{name: "partial", change: oneFile, modify: func(p *planner.Plan) { p.Targets, p.Excludes = []string{"site.hamburg"}, []string{"site.bremen"} }},
	{name: "partial_no_change", modify: func(p *planner.Plan) { p.Targets = []string{"site.hamburg"} }},
	{name: "hundreds_of_files", change: manyFiles},
	{name: "many_sites", before: fleet(9), change: func(w *world) {
		oneFile(w)
		w.sites[4].conf["config/special.yaml"] = "x"
	}},
	{name: "many_sites_exact", before: fleet(8), change: oneFile, build: true, steps: historianSteps},
	{name: "many_sites_some_unchanged", before: fleet(8), change: func(w *world) { w.sites[3].version = "2.1.0" }},
	{name: "version_by_lock", before: func(w *world) {
		w.images = append(w.images, &worldImage{name: "opc", kind: planner.KindSource, size: 48_000_000, inputs: map[string]string{"source": "sha256:1111111111111111"}, layers: layers(47_000_000, "opc")})
		w.sites[0].images = append(w.sites[0].images, "opc")
	}, change: byLock},
	{name: "hostile_names", change: hostile, vars: []planner.PlanVariable{
		{Name: "release", Value: `"<b>2.1.0</b>"`, Origin: "environment"}, {Name: "token", Origin: "environment", Sensitive: true},
	}},
	{name: "no_engine_needed", change: func(w *world) { w.sites[0].conf["config/limits.yaml"] = "limit: 3\n" }},
	{name: "media_volumes", change: oneFile, modify: func(p *planner.Plan) { p.Sites[0].Size.Volumes = 2 }},
	{name: "media_volumes_exact", change: oneFile, modify: func(p *planner.Plan) { p.Sites[0].Size.Volumes = 3 }, build: true, steps: historianSteps},
	{name: "no_sites", change: func(w *world) { w.sites, w.images = nil, nil }, have: noParent},
}

func byLock(w *world) {
	w.set("opc", "source", "sha256:2222222222222222")
	w.lock = []planner.LockChange{{
		Source: "registry.example/opc", Constraint: "~> 3.1", OldConstraint: "~> 3.1", Change: planner.ChangeUpdate, OldVersion: "3.1.4", NewVersion: "3.1.5",
		OldDigest: "sha256:111111111111111111", NewDigest: "sha256:222222222222222222",
	}, {
		Source: "registry.example/new", Change: planner.ChangeCreate, NewDigest: "sha256:333333333333333333",
	}}
}

func severalParents() []*patch.Description {
	older := plant()
	older.sites[0].version = "1.9.0"
	older.sites[0].images = []string{"historian", "panel", "legacy"}
	older.images = append(older.images, &worldImage{name: "legacy", kind: planner.KindRootfs, inputs: map[string]string{"rootfs": "x"}, layers: layers(10, "legacy")})
	return []*patch.Description{plant().parent("hamburg"), older.parent("hamburg")}
}

func divergingParents() []*patch.Description {
	a, b := plant(), plant()
	fleet(2)(a)
	fleet(2)(b)
	b.set("historian", "context:app/main.go", "m0")
	b.image("historian").layers = layers(1_800_000, "", 12, "COPY old")
	return []*patch.Description{a.parent("site00"), b.parent("site01")}
}
