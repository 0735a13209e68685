package planner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/lang"
)

// policyPlan is a plan of the project plant: aachen carries ui and app, berlin opc and ui.
func policyPlan(t *testing.T, policy lang.Policy) (*lang.Config, *Desired, *Plan) {
	t.Helper()
	cfg, facts := plant()
	policy.Range = at(20)
	for _, s := range cfg.Sites {
		s.Patch.Policy = policy
	}
	want, err := Resolve(context.Background(), cfg, facts, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return cfg, want, Diff(nil, want)
}

// outcomes writes what became of the rules, site by site.
func outcomes(p *Plan) string {
	var out []string
	for _, s := range p.Sites {
		for _, o := range s.Policy {
			out = append(out, fmt.Sprintf("%s/%s:%s", s.Name, o.Rule, o.Outcome))
		}
	}
	return strings.Join(out, " ")
}

func TestCheckPolicy(t *testing.T) {
	removed := func(p *Plan) {
		p.Sites[0].Images = append(p.Sites[0].Images, ImageChange{Name: "old", Change: ChangeRemove})
	}
	size := func(s Size) func(*Plan) { return func(p *Plan) { p.Sites[0].Size = s } }
	for _, c := range []struct {
		name     string
		policy   lang.Policy
		change   func(*Plan)
		outcomes string
		diags    []string // severity, and a part of the detail
	}{
		{name: "none"},
		{name: "clean", policy: lang.Policy{CleanTree: true}, outcomes: "aachen/clean_tree:satisfied berlin/clean_tree:satisfied"},
		{
			name: "dirty", policy: lang.Policy{CleanTree: true}, change: func(p *Plan) { p.Project.Dirty = true },
			outcomes: "aachen/clean_tree:violated berlin/clean_tree:violated",
			diags:    []string{`error Sites "aachen", "berlin": The policy demands a clean work tree`},
		},
		{name: "dirty without a policy", change: func(p *Plan) { p.Project.Dirty = true }},

		{name: "images stay", policy: lang.Policy{KeepImages: true}, outcomes: "aachen/allow_removed_images:satisfied berlin/allow_removed_images:satisfied"},
		{
			name: "image removed", policy: lang.Policy{KeepImages: true}, change: removed,
			outcomes: "aachen/allow_removed_images:violated berlin/allow_removed_images:satisfied",
			diags:    []string{`error Site "aachen": Images that the site has are not required any more: "old"`},
		},
		{name: "image removed, allowed", change: removed},

		{name: "size unknown", policy: lang.Policy{MaxSize: 100}, outcomes: "aachen/max_size:known after apply berlin/max_size:known after apply"},
		{
			name: "size exact", policy: lang.Policy{MaxSize: 100}, change: size(Size{Exact: true, Patch: 100}),
			outcomes: "aachen/max_size:satisfied berlin/max_size:known after apply",
		},
		{
			name: "size exact and too large", policy: lang.Policy{MaxSize: 100}, change: size(Size{Exact: true, Patch: 101}),
			outcomes: "aachen/max_size:violated berlin/max_size:known after apply",
			diags:    []string{`error Site "aachen": The patch has 101 bytes, and the policy allows 100.`},
		},
		{
			name: "size estimated too large", policy: lang.Policy{MaxSize: 100}, change: size(Size{Patch: 101}),
			outcomes: "aachen/max_size:known after apply berlin/max_size:known after apply",
			diags:    []string{`warning Site "aachen": The patch is estimated at 101 bytes`},
		},
		{name: "no patch is not too large", policy: lang.Policy{MaxSize: 100}, change: func(p *Plan) {
			p.Sites[0].Change, p.Sites[0].Size = ChangeNone, Size{Exact: true, Patch: 101}
		}, outcomes: "aachen/max_size:satisfied berlin/max_size:known after apply"},

		{
			name: "registries allowed", policy: lang.Policy{AllowedRegistries: []string{"docker.io"}},
			outcomes: "aachen/allowed_registries:satisfied berlin/allowed_registries:satisfied",
		},
		{
			name: "vendored image from elsewhere", policy: lang.Policy{AllowedRegistries: []string{"docker.io/library"}},
			outcomes: "aachen/allowed_registries:satisfied berlin/allowed_registries:violated",
			diags:    []string{`docker.io/opc/server, for image_set.s.image.opc`},
		},
		{
			name: "no registry at all", policy: lang.Policy{AllowedRegistries: []string{}},
			outcomes: "aachen/allowed_registries:violated berlin/allowed_registries:violated",
			diags:    []string{"docker.io/library/golang, for image_set.s.image.app", "docker.io/opc/server"},
		},

		{
			name: "nobody has looked", policy: lang.Policy{SignatureKeys: []lang.Path{{Name: "k.pub"}}},
			outcomes: "aachen/required_signatures:violated berlin/required_signatures:violated",
			diags:    []string{"alpine:3, for image_set.s.image.app: its signatures were not looked at", "opc/server:3, for"},
		},
		{
			name: "not under git", policy: lang.Policy{CleanTree: true}, change: func(p *Plan) { p.Project = Project{} },
			outcomes: "aachen/clean_tree:violated berlin/clean_tree:violated",
			diags:    []string{`in no work tree of git that has a commit`},
		},
		{
			name: "all at once", policy: lang.Policy{CleanTree: true, KeepImages: true, AllowedRegistries: []string{"r.example"}},
			change: func(p *Plan) { p.Project.Dirty = true; removed(p) },
			outcomes: "aachen/clean_tree:violated aachen/allow_removed_images:violated aachen/allowed_registries:violated " +
				"berlin/clean_tree:violated berlin/allow_removed_images:satisfied berlin/allowed_registries:violated",
			diags: []string{"clean work tree", `"old"`, "docker.io/library/alpine", "docker.io/opc/server"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, _, p := policyPlan(t, c.policy)
			if c.change != nil {
				c.change(p)
			}
			diags := CheckPolicy(cfg, p, nil)
			if got := outcomes(p); got != c.outcomes {
				t.Errorf("outcomes\n got %s\nwant %s", got, c.outcomes)
			}
			if len(diags) != len(c.diags) {
				t.Fatalf("got %v", diags)
			}
			for i, d := range diags {
				severity := map[bool]string{true: "error", false: "warning"}[d.Severity == 1]
				if !strings.Contains(severity+" "+d.Detail, c.diags[i]) || d.Subject.Start.Line != 20 {
					t.Errorf("got %s %v: %s", severity, d.Subject, d.Detail)
				}
			}
			if again := CheckPolicy(cfg, p, nil); outcomes(p) != c.outcomes || len(again) != len(diags) {
				t.Error("a second check gives something else")
			}
		})
	}
}

func TestSignatureQueries(t *testing.T) {
	cfg, want, p := policyPlan(t, lang.Policy{SignatureKeys: []lang.Path{{Name: "a.pub"}, {Name: "b.pub"}}})
	queries := SignatureQueries(cfg, want)
	var refs []string
	answers := make(Signatures)
	for _, q := range queries {
		refs = append(refs, q.Ref)
		if q.Digest != pinned || !slices.Equal(q.Keys(), []string{"a.pub", "b.pub"}) {
			t.Errorf("query %+v", q)
		}
		answers[q] = nil
	}
	if !slices.Equal(refs, []string{"alpine:3", "docker.io/library/golang", "opc/server:3"}) {
		t.Errorf("asks for %q", refs)
	}
	if diags := CheckPolicy(cfg, p, answers); len(diags) != 0 {
		t.Errorf("all signed: %v", diags)
	}
	answers[queries[2]] = errors.New("it has no signature")
	diags := CheckPolicy(cfg, p, answers)
	if len(diags) != 1 || !strings.Contains(diags[0].Detail, `Site "berlin"`) || !strings.Contains(diags[0].Detail, "opc: it has no signature") {
		t.Errorf("one is not signed: %v", diags)
	}
	cfg.Sites[0].Patch.Policy.SignatureKeys, cfg.Sites[1].Patch.Policy.SignatureKeys = nil, nil
	if q := SignatureQueries(cfg, want); len(q) != 0 {
		t.Errorf("no policy, and asks for %v", q)
	}
}

func TestSharedViolationNamesNotTooMany(t *testing.T) {
	p := &Plan{Project: Project{Revision: "v1-dirty", Dirty: true}}
	cfg := &lang.Config{}
	for i := range 1000 {
		name := fmt.Sprintf("s%03d", i)
		p.Sites = append(p.Sites, &SitePlan{Site: Site{Name: name}})
		cfg.Sites = append(cfg.Sites, &lang.Site{Name: name, Patch: lang.Patch{Policy: lang.Policy{CleanTree: true, Range: at(3)}}})
	}
	diags := CheckPolicy(cfg, p, nil)
	if len(diags) != 1 || !strings.Contains(diags[0].Detail, `"s004" and 995 more`) {
		t.Errorf("got %v", diags)
	}
}

func TestSizeViolation(t *testing.T) {
	cfg, _, _ := policyPlan(t, lang.Policy{MaxSize: 10})
	d := SizeViolation(cfg, "aachen", 11, 10)
	if d.Subject.Start.Line != 20 || !strings.Contains(d.Detail, `Site "aachen": The patch has 11 bytes`) {
		t.Errorf("got %v", d)
	}
	if d := SizeViolation(&lang.Config{}, "gone", 11, 10); d == nil {
		t.Error("no diagnostic without the site")
	}
}

func TestForeignImagesOfHostileNames(t *testing.T) {
	i := &Image{Address: "i", Source: &Source{Ref: "Up per", Digest: digest.FromString("x")}}
	f := i.foreign()
	if name, inRegistry := repository(f[0].ref); name != "Up per" || !inRegistry {
		t.Errorf("got %q", name)
	}
	if _, inRegistry := repository("oci-layout://vendor:1"); inRegistry {
		t.Error("a layout is in no registry")
	}
}
