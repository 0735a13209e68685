package deploy

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/site/docker"
)

// A namedSite is the fake one under another name.
type namedSite struct {
	*fakeSite
	name string
}

func (s namedSite) Name() string { return s.name }

// Compose knows containers by project and service, whatever site they are of.
func TestOtherSite(t *testing.T) {
	p := newPlant(t)
	p.release("1.0", []patch.Image{p.image("a", "1")}, map[string]string{"local": "web a: " + loop}, nil)
	p.well(p.redeploy("1.0", Options{}), "web=create")
	first := p.running()
	other := *p.site
	other.dir = t.TempDir()
	d := New(namedSite{&other, "south"}, p.environment(), os.Environ())
	for name, do := range map[string]func() (*Report, error){
		"redeploy": func() (*Report, error) { return d.Redeploy(t.Context(), Options{}) },
		"plan":     func() (*Report, error) { return d.Plan(t.Context(), Options{}) },
	} {
		var foreign *ForeignError
		if _, err := do(); !errors.As(err, &foreign) || foreign.Site != "north" || foreign.Container != "web" || foreign.Project != "plant" {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if !maps.Equal(first, p.running()) {
		t.Error("the container of another site was changed")
	}
}

// What somebody has run by hand is none of the service's containers, however it
// ended.
func TestOneOff(t *testing.T) {
	p := newPlant(t)
	p.release("1.0", []patch.Image{p.image("a", "1")}, map[string]string{"local": "web a: " + loop}, nil)
	p.release("1.1", []patch.Image{p.image("a", "2")}, map[string]string{"local": "web a: " + loop}, nil)
	p.well(p.redeploy("1.0", Options{}), "web=create")
	project := docker.Project{
		Name: "plant", File: p.deployment().path(hostsDir, "local", composeFile), Dir: p.site.dir, Engine: p.env["DOCKER_HOST"],
	}
	c, err := docker.FindCompose(t.Context(), os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	var ended *exec.ExitError
	if err := c.Run(t.Context(), project, "run", "-T", "web", "sh", "-c", "exit 3"); !errors.As(err, &ended) || ended.ExitCode() != 3 {
		t.Fatalf("error %v", err)
	}
	p.well(p.redeploy("1.0", Options{}), "web=keep")
	p.well(p.redeploy("1.1", Options{}), "web=recreate")
	if all := p.containers(); len(all) != 2 || !slices.ContainsFunc(all, func(c docker.Container) bool { return c.OneOff() }) {
		t.Errorf("containers %+v", all)
	}
}
