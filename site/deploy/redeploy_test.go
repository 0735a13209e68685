package deploy

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/flotobuild/flotobuild/patch"
)

func TestRedeployChanged(t *testing.T) {
	p := newPlant(t)
	a1, b1, a2 := p.image("a", "1"), p.image("b", "1"), p.image("a", "2")
	p.release("1.0", []patch.Image{a1, b1}, map[string]string{"local": "web a: " + loop + "\ndb b: " + loop + "\nold b: " + loop}, nil)
	p.release("1.1", []patch.Image{a2, b1}, map[string]string{"local": "web a: " + loop + "\ndb b: " + loop + "\nmore b: " + loop}, nil)
	p.well(p.redeploy("1.0", Options{}), "db=create old=create web=create")
	first := p.running()
	if len(first) != 3 {
		t.Fatalf("running %v", first)
	}
	p.well(p.redeploy("1.0", Options{}), "db=keep old=keep web=keep")
	if !maps.Equal(first, p.running()) {
		t.Error("containers were changed without a reason")
	}
	r := p.redeploy("1.1", Options{})
	p.well(r, "db=keep more=create old=remove web=recreate")
	if r.From != "1.0" || r.Hosts[0].Steps[3].Reason != "image" {
		t.Errorf("report %+v", r)
	}
	second := p.running()
	if second["db"] != first["db"] || second["web"] == first["web"] || second["old"] != "" || second["more"] == "" {
		t.Errorf("containers %v after %v", second, first)
	}
	if len(p.containers()) != 3 {
		t.Errorf("containers %v", p.containers())
	}
	// By hand back to the first.
	p.well(p.redeploy("1.0", Options{}), "db=keep more=remove old=create web=recreate")
	s, err := ReadState(p.site.dir)
	if err != nil || s.Patch != "1.0" || s.Hosts["local"].Patch != "1.0" || s.Hosts["local"].Before != "1.1" || s.Pending != nil {
		t.Errorf("state %+v, %v", s, err)
	}
	if len(p.site.history) != 4 {
		t.Errorf("history %q", p.site.history)
	}
}

func TestRedeployStopped(t *testing.T) {
	p := newPlant(t)
	p.release("1.0", []patch.Image{p.image("a", "1")}, map[string]string{"local": "web a: " + loop + "\nsecond a: " + loop}, nil)
	p.well(p.redeploy("1.0", Options{}), "second=create web=create")
	first := p.running()
	for _, c := range p.containers() {
		if c.Service() == "web" {
			if err := p.engine.Remove(t.Context(), &c); err != nil {
				t.Fatal(err)
			}
		}
	}
	p.well(p.redeploy("1.0", Options{}), "second=keep web=create")
	if now := p.running(); now["second"] != first["second"] || now["web"] == "" {
		t.Errorf("containers %v", now)
	}
}

func TestRedeployFails(t *testing.T) {
	p := newPlant(t)
	a1, a2, b1 := p.image("a", "1"), p.image("a", "2"), p.image("b", "1")
	healthy := `, healthcheck: {test: ["CMD", "test", "-f", "/content"], interval: 1s, retries: 1}`
	ill := `, healthcheck: {test: ["CMD-SHELL", "echo no such luck; false"], interval: 1s, timeout: 5s, retries: 2}`
	p.release("1.0", []patch.Image{a1, b1}, map[string]string{"local": "web a < db: " + loop + healthy + "\ndb b: " + loop}, nil)
	said := strings.Replace(loop, "while true", "echo hello from web with hunter2; while true", 1)
	p.release("1.1", []patch.Image{a2, b1}, map[string]string{"local": "web a < db: " + said + ill + "\ndb b: " + loop + "\nnew b: " + loop}, nil)
	p.release("1.2", []patch.Image{a2, b1}, map[string]string{"local": "web a: " + strings.Replace(loop, "while true", "exit 7; while true", 1) + "\ndb b: " + loop}, nil)
	p.release("1.3", []patch.Image{a2, b1}, map[string]string{"local": `web a: entrypoint: ["/no/such/program"], network_mode: none` + "\ndb b: " + loop}, nil)
	p.release("1.4", []patch.Image{a2, b1}, map[string]string{"local": "web a: " + strings.Replace(loop, "while true", "exit 7; while true", 1) + ", restart: always" + "\ndb b: " + loop}, nil)

	p.well(p.redeploy("1.0", Options{}), "db=create web=create")
	first := p.running()
	for id, want := range map[string]string{"1.1": "it is unhealthy", "1.2": "exit code 7", "1.3": "could not be started", "1.4": "has not come up in 2s"} {
		o := Options{Secrets: []string{"hunter2"}}
		if id == "1.4" {
			o.Timeout = 2e9
		}
		r := p.redeploy(id, o)
		if r.Failure == nil || r.Failure.Container != "web" || !strings.Contains(r.Failure.Reason, want) {
			t.Fatalf("%s: failure %+v", id, r.Failure)
		}
		if id == "1.1" && (r.Failure.Probe != "no such luck" || !slices.Contains(r.Failure.Log, "hello from web with (secret)")) {
			t.Errorf("failure %+v", r.Failure)
		}
		if r.Back != "1.0" || r.BackFailure != "" || p.site.active != "1.0" {
			t.Errorf("%s: back %q, %q, active %q", id, r.Back, r.BackFailure, p.site.active)
		}
		now := p.running()
		if now["db"] != first["db"] || now["web"] == "" || now["new"] != "" || len(p.containers()) != 2 {
			t.Errorf("%s: containers %v after %v", id, now, first)
		}
		s, err := ReadState(p.site.dir)
		if err != nil || s.Pending != nil || s.Patch != "1.0" || s.Hosts["local"].Patch != "1.0" {
			t.Errorf("%s: state %+v, %v", id, s, err)
		}
		if has, _ := p.engine.Has(t.Context(), a2.ID); has {
			t.Errorf("%s: the image of the failed patch is left", id)
		}
	}
	p.well(p.redeploy("1.0", Options{}), "db=keep web=keep")
}

func TestRedeployFailsFirst(t *testing.T) {
	p := newPlant(t)
	p.release("1.0", []patch.Image{p.image("a", "1")}, map[string]string{"local": "web a: " + strings.Replace(loop, "while true", "exit 7; while true", 1)}, nil)
	r := p.redeploy("1.0", Options{})
	if r.Failure == nil || r.Back != "" || p.site.active != "1.0" {
		t.Errorf("report %+v", r)
	}
}

func TestRedeployWaves(t *testing.T) {
	p := newPlant(t)
	slow := `command: ["/bin/sh", "-c", "sleep 1; touch /ready; while true; do sleep 0.2; done"], network_mode: none, stop_grace_period: 1s, healthcheck: {test: ["CMD", "test", "-f", "/ready"], interval: 0.3s, retries: 20}`
	job := `command: ["/bin/sh", "-c", "sleep 1"], network_mode: none`
	p.release("1.0", []patch.Image{p.image("a", "1")}, map[string]string{
		"control":                        "db a: " + slow + "\njob a < db: " + job + "\napp a < job: " + loop + ", depends_on: {job: {condition: service_completed_successfully}}",
		"office=" + p.env["DOCKER_HOST"]: "panel a < app: " + loop,
	}, nil)
	p.well(p.redeploy("1.0", Options{}), "app=create db=create job=create panel=create")
	want := []string{"loaded control a", "up control db", "well control db", "up control job", "well control job", "up control app", "well control app", "up office panel", "well office panel"}
	if !slices.Equal(p.events, want) {
		t.Errorf("events %q, want %q", p.events, want)
	}
	p.well(p.redeploy("1.0", Options{}), "app=keep db=keep job=keep panel=keep")
	if _, err := p.deployment().Redeploy(t.Context(), Options{Hosts: []string{"offfice"}}); err == nil {
		t.Error("a host that is not there was redeployed")
	}
	// The hosts share an engine: one of them leaves the patch.
	p.release("1.1", []patch.Image{p.image("a", "1")}, map[string]string{"control": "db a: " + slow}, nil)
	p.well(p.redeploy("1.1", Options{}), "app=remove db=keep job=remove panel=remove")
	if got := p.running(); len(got) != 1 || got["db"] == "" {
		t.Errorf("containers %v", got)
	}
	if s, err := ReadState(p.site.dir); err != nil || len(s.Hosts) != 1 {
		t.Errorf("state %+v, %v", s, err)
	}
	if left, err := os.ReadDir(filepath.Join(p.site.dir, folder, hostsDir)); err != nil || len(left) != 1 {
		t.Errorf("folders of hosts %v, %v", left, err)
	}
}

func TestPlan(t *testing.T) {
	p := newPlant(t)
	p.release("1.0", []patch.Image{p.image("a", "1")}, map[string]string{"local": "web a: " + loop}, nil)
	p.site.active = "1.0"
	r, err := p.deployment().Plan(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	p.well(r, "web=create")
	if !r.Changes() || len(r.Hosts[0].Loads) != 1 || r.Hosts[0].Loads[0].Bytes < 1000 {
		t.Errorf("report %+v", r)
	}
	if len(p.containers()) != 0 {
		t.Error("planning has made containers")
	}
	if has, _ := p.engine.Has(t.Context(), p.site.releases["1.0"].Images[0].ID); has {
		t.Error("planning has loaded an image")
	}
}

// What containers keep in volumes without a name goes over to the next ones.
func TestAnonymousVolumes(t *testing.T) {
	p := newPlant(t)
	writes := strings.Replace(loop, "while true", "touch /data/written; while true", 1)
	reads := loop + `, healthcheck: {test: ["CMD", "test", "-f", "/data/written"], interval: 0.5s, retries: 2}`
	p.release("1.0", []patch.Image{p.image("a", "1")}, map[string]string{"local": "web a: " + writes + `, volumes: ["/data"]`}, nil)
	p.release("1.1", []patch.Image{p.image("a", "2")}, map[string]string{"local": "web a: " + reads + `, volumes: ["/data"]`}, nil)
	p.well(p.redeploy("1.0", Options{}), "web=create")
	p.well(p.redeploy("1.1", Options{}), "web=recreate")
}

// Whoever was killed in the middle of replacing a container has left two.
func TestInterruptedReplacement(t *testing.T) {
	p := newPlant(t)
	p.release("1.0", []patch.Image{p.image("a", "1")}, map[string]string{"local": "web a: " + loop}, nil)
	p.well(p.redeploy("1.0", Options{}), "web=create")
	c := p.containers()[0]
	if err := p.engine.Rename(t.Context(), &c, c.ID[:12]+"_plant_web_1"); err != nil {
		t.Fatal(err)
	}
	p.release("1.1", []patch.Image{p.image("a", "2")}, map[string]string{"local": "web a: " + loop}, nil)
	p.well(p.redeploy("1.1", Options{}), "web=recreate")
	if all := p.containers(); len(all) != 1 || !strings.HasPrefix(all[0].Name, "plant") {
		t.Errorf("containers %+v", all)
	}
}

// TestRedeployValues brings a patch back that has failed with other values than
// it ran with before.
func TestRedeployValues(t *testing.T) {
	p := newPlant(t)
	a1, b1 := p.image("a", "1"), p.image("b", "1")
	add := func(values, web string) {
		r := p.release("1.0", []patch.Image{a1, b1}, map[string]string{"local": "web a: " + web + "\ndb b: " + loop}, nil)
		r.Values = values
		delete(p.site.releases, "1.0")
		p.site.releases["1.0"+values] = r
	}
	add("first", loop)
	add("second", strings.Replace(loop, "while true", "exit 7; while true", 1))
	add("third", strings.Replace(loop, "while true", "true; while true", 1))
	p.site.values = "first"
	p.well(p.redeploy("1.0", Options{}), "db=create web=create")
	first := p.running()
	p.site.values = "second"
	r := p.redeploy("1.0", Options{})
	if r.Failure == nil || r.Back != "1.0" || r.BackFailure != "" || p.site.values != "first" {
		t.Errorf("report %+v, active %q", r, p.site.values)
	}
	if now := p.running(); now["db"] != first["db"] || now["web"] == "" || !slices.Contains(p.events, "back  1.0") {
		t.Errorf("containers %v after %v; %q", now, first, p.events)
	}
	p.well(p.redeploy("1.0", Options{}), "db=keep web=keep")

	// A redeploy that was killed on its way back is undone by the next.
	p.site.values = "second"
	s, err := ReadState(p.site.dir)
	if err != nil {
		t.Fatal(err)
	}
	s.Pending = &Pending{Patch: "1.0", Values: "second", Hosts: []string{"local"}, Back: true}
	if err := s.save(filepath.Join(p.site.dir, folder, stateFile)); err != nil {
		t.Fatal(err)
	}
	p.well(p.redeploy("1.0", Options{}), "db=keep web=keep")
	if p.site.values != "first" {
		t.Errorf("active is %q", p.site.values)
	}
	p.site.values = "third"
	p.well(p.redeploy("1.0", Options{}), "db=keep web=recreate")
	s, err = ReadState(p.site.dir)
	if h := s.Hosts["local"]; err != nil || s.Values != "third" || h.Values != "third" || h.Before != "1.0" || h.BeforeValues != "first" {
		t.Errorf("state %+v, %v", s, err)
	}
}
