//go:build linux

package executor_test

import (
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"

	"github.com/flotobuild/flotobuild/executor"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

// parents gives the descriptions that the plan was made against.
func (p *project) parents(plan *planner.Plan) []*patch.Description {
	p.t.Helper()
	var out []*patch.Description
	for _, s := range plan.Sites {
		for _, file := range s.ParentFiles {
			r, err := patch.Open(file)
			if err != nil {
				p.t.Fatal(err)
			}
			p.t.Cleanup(func() { r.Close() })
			out = append(out, r.Description)
		}
	}
	return out
}

// exact makes a plan with a build.
func (p *project) exact() *planner.Plan {
	p.t.Helper()
	plan := p.plan()
	opts := p.options()
	got, err := executor.Build(p.t.Context(), plan, opts)
	if err != nil {
		p.t.Fatal(err)
	}
	return planner.Refine(plan, p.parents(plan), &got.Built)
}

// follow applies an exact plan at another time than it was made at, and holds
// the patch to it. It returns nil where the plan needs none.
func (p *project) follow(plan *planner.Plan) *patch.Reader {
	p.t.Helper()
	data, err := planner.Encode(plan)
	if err != nil {
		p.t.Fatal(err)
	}
	if plan, err = planner.Decode(data); err != nil { // as a saved plan
		p.t.Fatal(err)
	}
	res, err := executor.Apply(p.t.Context(), plan, p.options())
	if err != nil {
		p.t.Fatal(err)
	}
	s := plan.Sites[0]
	if (res.Sites[0].File == "") != (s.Change == planner.ChangeNone) {
		p.t.Fatalf("the plan says %s, and the patch is %q", s.Change, res.Sites[0].File)
	}
	if res.Sites[0].File == "" {
		return nil
	}
	if got := res.Sites[0].Size; got != s.Size.Patch || !s.Size.Exact {
		p.t.Errorf("the patch has %d bytes; the plan says %+v", got, s.Size)
	}
	r, err := patch.Open(res.Sites[0].File)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { r.Close() })
	travel := make(map[string]bool)
	for _, c := range s.Images {
		if c.Made() && r.Description.ImageMap[c.Name] != c.NewID {
			p.t.Errorf("image %q is %s; the plan says %s", c.Name, r.Description.ImageMap[c.Name], c.NewID)
		}
		for _, l := range c.Layers {
			if l.Change == planner.ChangeCreate {
				travel[c.Name+" "+l.DiffID.String()] = true
			}
		}
	}
	for _, l := range carried(p.t, r) {
		if !travel[l] {
			p.t.Errorf("layer %s travels, which the plan does not say", l)
		}
		delete(travel, l)
	}
	if len(travel) > 0 {
		p.t.Errorf("layers do not travel: %v", travel)
	}
	return r
}

func TestPlanWithABuildMovesNoLayers(t *testing.T) {
	p := appProject(t, `FROM base
RUN seq 1 6000000 > /numbers && head -c 100000000 /dev/urandom > /large
COPY file /file
`)
	plan := p.exact()
	if n := p.bytes.in.Load(); n > 64<<10 {
		t.Errorf("%d bytes out of the engine to plan an initial patch; want at most 64 KiB", n)
	}
	if n := plan.Sites[0].Size.NewLayers; n < 100_000_000 {
		t.Errorf("%d bytes of new layers; one alone has more", n)
	}
	if files, _ := filepath.Glob(filepath.Join(p.dir, "dist", "*")); len(files) > 0 {
		t.Errorf("written: %v", files)
	}
	p.follow(plan)
	p.write(map[string]string{"app/file": "two\n"})
	plan = p.exact()
	if n := p.bytes.total(); n > 64<<10 {
		t.Errorf("%d bytes over the engine's API to plan a small layer; want at most 64 KiB", n)
	}
	if r := p.follow(plan); len(carried(t, r)) != 1 {
		t.Errorf("carried: %v", carried(t, r))
	}
	// A rebuild without effect is no change of the image.
	p.replace("app/Dockerfile", "FROM base", "# the base\nFROM base")
	plan = p.exact()
	if c := plan.Sites[0].Images[0]; c.Change != planner.ChangeNone || !c.Made() {
		t.Errorf("image %+v", c)
	}
	p.follow(plan)
	if plan = p.plan(); plan.Sites[0].Change != planner.ChangeNone {
		t.Errorf("after it was applied, the plan says %+v", plan.Sites[0])
	}
}

// TestExactPlanIsKeptOrRefused applies a plan on an engine that has forgotten
// what was built for it.
func TestExactPlanIsKeptOrRefused(t *testing.T) {
	p := appProject(t, "FROM base\nRUN cat /proc/sys/kernel/random/uuid > /id\n")
	plan := p.exact()
	p.ownEngine()
	_, err := executor.Apply(t.Context(), plan, p.options())
	if err == nil || !strings.Contains(err.Error(), "other layers than the plan says") {
		t.Errorf("an engine that gives something else: %v", err)
	}
	if files, _ := filepath.Glob(filepath.Join(p.dir, "dist", "*")); len(files) > 0 {
		t.Errorf("written: %v", files)
	}
	plan = p.exact()
	plan.Sites[0].Size.Patch++
	if _, err = executor.Apply(t.Context(), plan, p.options()); err == nil || !strings.Contains(err.Error(), "and the plan says") {
		t.Errorf("another size than the plan says: %v", err)
	}
	plan.Sites[0].Size.Patch--
	opts := p.options()
	epoch := time.Unix(1, 0)
	opts.Epoch = &epoch
	if _, err = executor.Apply(t.Context(), plan, opts); err == nil || !strings.Contains(err.Error(), "SOURCE_DATE_EPOCH") {
		t.Errorf("a plan without SOURCE_DATE_EPOCH, applied with it: %v", err)
	}
	p.follow(plan)
}

func TestExactPlanOfVendoredImages(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	img, err := random.Image(10_000, 2)
	if err != nil {
		t.Fatal(err)
	}
	if img, err = mutate.ConfigFile(img, withPlatform(t, img)); err != nil {
		t.Fatal(err)
	}
	p := newProject(t, map[string]string{
		"plant.floto.hcl": siteHCL + `
image_set "plant" {
  image "app" { source = "` + host + `/opc/server:1.0" }
}
`,
		"plant.root.hcl": rootHCL,
	})
	publish(t, img, host+"/opc/server:1.0", filepath.Join(t.TempDir(), "unused"))
	p.follow(p.exact())
	extra, err := random.Layer(1000, "application/vnd.oci.image.layer.v1.tar+gzip")
	if err != nil {
		t.Fatal(err)
	}
	if img, err = mutate.AppendLayers(img, extra); err != nil {
		t.Fatal(err)
	}
	publish(t, img, host+"/opc/server:1.0", filepath.Join(t.TempDir(), "unused"))
	plan := p.exact()
	l := plan.Sites[0].Images[0].Layers
	if len(l) != 3 || l[2].Change != planner.ChangeCreate || l[2].Cause != "source" || l[0].Change != planner.ChangeNone {
		t.Errorf("layers %+v", l)
	}
	p.follow(plan)
	if n := p.bytes.total(); n != 0 {
		t.Errorf("%d bytes to an engine; want none", n)
	}
	if _, err := os.Stat(filepath.Join(p.dir, "dist")); err != nil {
		t.Error(err)
	}
}
