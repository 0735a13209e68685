package deploy

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/site/docker"
	"github.com/flotobuild/flotobuild/site/docker/dockertest"
)

// fails is a container that does not come up.
var fails = strings.Replace(loop, "while true", "exit 7; while true", 1)

// A host that only the failed patch has keeps nothing, however that one ended.
func TestUnsettledHost(t *testing.T) {
	p := newPlant(t)
	images := []patch.Image{p.image("a", "1")}
	p.release("1.0", images, map[string]string{"first": "bad a: " + fails, "gone": "web a: " + loop}, nil)
	p.release("1.1", images, map[string]string{"local": "db a: " + loop}, nil)
	p.release("1.2", images, map[string]string{"local": "db a: " + loop, "new": "web a: " + loop + "\nbad a < web: " + loop}, nil)
	// The first patch of a site does not come up, and stays.
	if r := p.redeploy("1.0", Options{}); r.Failure == nil || len(p.running()) == 0 {
		t.Fatalf("report %+v, containers %v", r, p.running())
	}
	p.well(p.redeploy("1.1", Options{}), "db=create bad=remove web=remove")
	if got := p.running(); len(got) != 1 || got["db"] == "" {
		t.Errorf("containers %v", got)
	}
	// Another one is ended early, and the operator goes back by hand.
	ctx, cancel := context.WithCancel(t.Context())
	p.site.active = "1.2"
	_, err := p.deployment().Redeploy(ctx, Options{Event: func(e Event) {
		if e.Kind == Up && e.Name == "web" {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || p.running()["web"] == "" {
		t.Fatalf("error %v, containers %v", err, p.running())
	}
	p.well(p.redeploy("1.1", Options{}), "db=keep web=remove")
	if s, err := ReadState(p.site.dir); err != nil || len(s.Unsettled) != 0 || len(s.Hosts) != 1 {
		t.Errorf("state %+v, %v", s, err)
	}
}

// A host that the failed patch has on another engine runs on one only.
func TestMovedHost(t *testing.T) {
	p := newPlant(t)
	second := dockertest.Start(t)
	elsewhere := p.connect(second)
	count := func(e *docker.Engine) int {
		t.Helper()
		all, err := e.Containers(t.Context(), map[string]string{docker.LabelProject: "plant"})
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	images := []patch.Image{p.image("a", "1")}
	p.release("1.0", images, map[string]string{"local": "db a: " + loop + "\nweb a < db: " + loop}, nil)
	p.release("1.1", images, map[string]string{"local=" + second: "db a: " + loop + "\nweb a < db: " + fails}, nil)
	p.release("1.2", images, map[string]string{"local=" + second: "db a: " + loop + "\nweb a < db: " + loop}, nil)
	p.well(p.redeploy("1.0", Options{}), "db=create web=create")
	for _, o := range []Options{{}, {Hosts: []string{"local"}}} {
		r := p.redeploy("1.1", o)
		if r.Failure == nil || r.Back != "1.0" || r.BackFailure != "" {
			t.Fatalf("report %+v", r)
		}
		if count(p.engine) != 2 || count(elsewhere) != 0 {
			t.Errorf("containers: %d, and elsewhere %d", count(p.engine), count(elsewhere))
		}
	}
	// The host alone leaves its old engine for later.
	p.redeploy("1.2", Options{Hosts: []string{"local"}})
	p.redeploy("1.2", Options{})
	if count(p.engine) != 0 || count(elsewhere) != 2 {
		t.Errorf("containers: %d, and elsewhere %d", count(p.engine), count(elsewhere))
	}
	if s, err := ReadState(p.site.dir); err != nil || len(s.Unsettled) != 0 {
		t.Errorf("state %+v, %v", s, err)
	}
}

// A patch that came host by host is the one to go back to.
func TestBackAfterSingleHosts(t *testing.T) {
	p := newPlant(t)
	one, two := []patch.Image{p.image("a", "1")}, []patch.Image{p.image("a", "2")}
	both := map[string]string{"one": "db a: " + loop, "two": "web a: " + loop}
	p.release("1.0", one, both, nil)
	p.release("1.1", two, both, nil)
	p.release("1.2", one, map[string]string{"one": "db a: " + loop, "two": "web a: " + fails}, nil)
	p.well(p.redeploy("1.0", Options{}), "db=create web=create")
	p.well(p.redeploy("1.1", Options{Hosts: []string{"one"}}), "db=recreate")
	p.well(p.redeploy("1.1", Options{Hosts: []string{"two"}}), "web=recreate")
	if r := p.redeploy("1.2", Options{}); r.Failure == nil || r.Back != "1.1" || p.site.active != "1.1" {
		t.Errorf("report %+v, active %q", r, p.site.active)
	}
}
