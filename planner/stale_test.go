package planner

import (
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
)

func TestStale(t *testing.T) {
	other := []patch.ParentRef{{ID: "newer.aachen", DescriptionDigest: pinned}}
	for name, c := range map[string]struct {
		edit func(*Plan)
		want string // empty where the plan holds
	}{
		"same":            {func(*Plan) {}, ""},
		"place of parent": {func(p *Plan) { p.Sites[0].ParentFiles = []string{"/elsewhere/p.zip"} }, ""},
		"estimate":        {func(p *Plan) { p.Sites[0].Size.Patch = 7 }, ""},
		"input": {
			func(p *Plan) { p.Images[1].Fingerprint = patch.Fingerprint{Digest: "sha256:x"} },
			"inputs of image_set.s.image.app: arg:RELEASE, base:alpine:3, base:golang, 9 more",
		},
		"one input": {func(p *Plan) {
			in := map[string]string{}
			for k, v := range p.Images[1].Fingerprint.Inputs {
				in[k] = v
			}
			in["context:main.go"] = "sha256:y"
			p.Images[1].Fingerprint = seal(in)
		}, "inputs of image_set.s.image.app: context:main.go"},
		"secret":       {func(p *Plan) { p.Images[1].Build.Secrets = nil }, "settings of image_set.s.image.app"},
		"parent":       {func(p *Plan) { p.Sites[0].Parents = other }, `the parent of site "aachen": newer.aachen, where the plan has parent.aachen`},
		"parent gone":  {func(p *Plan) { p.Sites[0].Parents = nil }, `the parent of site "aachen": parent.aachen is gone`},
		"first parent": {func(p *Plan) { p.Sites[1].Parents = other }, `the parent of site "berlin": newer.aachen, where the plan makes an initial patch`},
		"other parent of the same id": {
			func(p *Plan) { p.Sites[0].Parents[0].DescriptionDigest = digest.FromString("x") },
			`the parent of site "aachen": parent.aachen has another description`,
		},
		"conf":      {func(p *Plan) { p.Sites[1].Site.Conf = nil }, `files in conf of site "berlin": a, roots/plant.root.hcl`},
		"manifest":  {func(p *Plan) { p.Sites[1].Site.Manifest = []File{{Path: "manifest/manifest.json"}} }, `the manifest or documents of site "berlin": manifest/manifest.json`},
		"version":   {func(p *Plan) { p.Sites[1].Patch.Version = "2.0.0" }, `settings of site "berlin": version`},
		"sources":   {func(p *Plan) { p.Project.Revision = "v2" }, "the state of the sources: v2, the plan was made at v1"},
		"author":    {func(p *Plan) { p.Project.Author = "Bob" }, "the state of the sources"},
		"settings":  {func(p *Plan) { p.Engine.Compression = "gzip" }, "the engine's settings"},
		"selection": {func(p *Plan) { p.Targets = []string{"site.x"} }, "the selection of sites"},
		"site":      {func(p *Plan) { p.Sites = p.Sites[:1] }, `site "berlin", which is gone`},
		"image":     {func(p *Plan) { p.Images = p.Images[:3] }, "image_set.s.image.ui, which is no longer needed"},
		"tool":      {func(p *Plan) { p.ToolVersion = "9" }, "the version of flotobuild: 9, the plan was made by an unknown one"},
		"project": {
			func(p *Plan) { p.Sites = []*SitePlan{{Site: Site{Name: "oslo"}}} },
			`the project: the plan is for the sites "aachen", "berlin", and the configuration here has none of them`,
		},
		"decision": {func(p *Plan) { p.Images[0].Action = ActionReuse }, "what the plan makes of the same inputs"},
	} {
		t.Run(name, func(t *testing.T) {
			now := samplePlan(t)
			c.edit(now)
			why, err := Stale(samplePlan(t), now)
			if err != nil || len(why) > 1 || c.want == "" && why != nil || c.want != "" && (len(why) != 1 || why[0] != c.want) {
				t.Errorf("got %q, %v", why, err)
			}
		})
	}
}

// What a build has added to a plan does not make it stale.
func TestStaleAfterBuild(t *testing.T) {
	saved := samplePlan(t)
	s := saved.Sites[0]
	s.Size.Exact, s.Size.NewLayers = true, 7
	s.Images[0].NewID = pinned
	s.Images[0].Change = ChangeNone
	if why, err := Stale(saved, samplePlan(t)); err != nil || why != nil {
		t.Errorf("got %q, %v", why, err)
	}
}
