package deploy

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/site/docker"
)

func TestWaves(t *testing.T) {
	for _, c := range []struct {
		needs map[string][]string
		want  [][]string
	}{
		{nil, nil},
		{map[string][]string{"b": nil, "a": nil}, [][]string{{"a", "b"}}},
		{map[string][]string{"a": {"b"}, "b": {"c"}, "c": nil, "d": {"c", "elsewhere"}}, [][]string{{"c"}, {"b", "d"}, {"a"}}},
	} {
		if got, err := waves(c.needs); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v: %v, %v", c.needs, got, err)
		}
	}
	if _, err := waves(map[string][]string{"a": {"b"}, "b": {"a"}}); err == nil {
		t.Error("a cycle has waves")
	}
}

func TestStep(t *testing.T) {
	const image, other = digest.Digest("sha256:1"), digest.Digest("sha256:2")
	with := func(sum string, image digest.Digest, state string) docker.Container {
		return docker.Container{Image: image, State: state, Labels: map[string]string{labelService: sum}}
	}
	good := with("s", image, docker.Running)
	tested := with("s", image, docker.Exited)
	tested.Health = docker.Unhealthy // as engines say of all that have ended
	for _, c := range []struct {
		name    string
		count   int
		have    []docker.Container
		changed bool
		action  Action
		reason  string
	}{
		{"none", 1, nil, false, Create, "new"},
		{"none wanted", 0, nil, false, Keep, ""},
		{"same", 1, []docker.Container{good}, false, Keep, ""},
		{"ended well", 1, []docker.Container{with("s", image, docker.Exited)}, false, Keep, ""},
		{"stopped", 1, []docker.Container{{Image: image, State: docker.Exited, ExitCode: 1, Labels: good.Labels}}, false, Start, "does not run"},
		{"stopped, only changed", 1, []docker.Container{{Image: image, State: docker.Exited, ExitCode: 1, Labels: good.Labels}}, true, Keep, ""},
		{"stopped well", 1, []docker.Container{tested}, false, Start, "does not run"},
		{"tested job", 1, []docker.Container{tested}, false, Keep, ""},
		{"never started", 1, []docker.Container{with("s", image, docker.Created)}, false, Start, "does not run"},
		{"image", 1, []docker.Container{with("t", other, docker.Running)}, true, Recreate, "image"},
		{"configuration", 1, []docker.Container{with("t", image, docker.Running)}, true, Recreate, "configuration"},
		{"made by others", 1, []docker.Container{{Image: image, State: docker.Running}}, false, Recreate, "configuration"},
		{"interrupted", 1, []docker.Container{with("t", other, docker.Exited), good}, false, Start, "a redeploy was interrupted"},
		{"too few", 2, []docker.Container{good}, false, Start, "number of containers"},
		{"too many", 1, []docker.Container{good, good}, false, Start, "number of containers"},
	} {
		s := step(&service{name: "web", image: image, sum: "s", count: c.count}, c.have, c.name == "tested job", c.changed)
		if s.Action != c.action || s.Reason != c.reason {
			t.Errorf("%s: %s, %q", c.name, s.Action, s.Reason)
		}
	}
}

func TestCompare(t *testing.T) {
	want := &desired{project: "plant", services: map[string]*service{
		"vpn": {name: "vpn", sum: "new", count: 1}, "app": {name: "app", sum: "s", count: 1, shares: []string{"vpn"}},
		"side": {name: "side", sum: "s", count: 1, shares: []string{"app"}}, "own": {name: "own", sum: "s", count: 1},
	}}
	on := func(service, sum, host, project string) docker.Container {
		c := docker.Container{State: docker.Running, Labels: map[string]string{docker.LabelService: service, labelService: sum, docker.LabelProject: project}}
		if host != "" {
			c.Labels[labelHost] = host
		}
		return c
	}
	all := []docker.Container{
		on("vpn", "old", "h", "plant"), on("app", "s", "h", "plant"), on("side", "s", "h", "plant"), on("own", "s", "h", "plant"),
		on("own", "s", "other", "plant"), on("theirs", "", "", "plant"),
	}
	ours := []docker.Container{all[0], all[1], all[2], all[3], on("gone", "s", "h", "plant"), on("own", "s", "h", "before")}
	var got []string
	for _, s := range compare(want, "h", all, ours, false) {
		got = append(got, s.Container+" "+string(s.Action)+" "+s.Reason)
	}
	if want := []string{
		"app recreate shares with vpn", "gone remove not in the patch", "own keep ", "own remove not in the patch",
		"side recreate shares with app", "vpn recreate configuration",
	}; !slices.Equal(got, want) {
		t.Errorf("steps %q", got)
	}
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		c              docker.Container
		finish, stayed bool
		well           bool
		bad            string
	}{
		{docker.Container{State: docker.Running}, false, false, false, ""},
		{docker.Container{State: docker.Running}, false, true, true, ""},
		{docker.Container{State: docker.Running}, true, true, false, ""},
		{docker.Container{State: docker.Running, Health: docker.Starting}, false, true, false, ""},
		{docker.Container{State: docker.Running, Health: docker.Healthy}, false, false, true, ""},
		{docker.Container{State: docker.Running, Health: docker.Unhealthy}, false, true, false, "it is unhealthy"},
		{docker.Container{State: docker.Restarting, ExitCode: 1}, false, true, false, ""},
		{docker.Container{State: docker.Exited}, true, false, true, ""},
		{docker.Container{State: docker.Exited, Restarted: true}, false, false, false, "it has ended with exit code 0"},
		{docker.Container{State: docker.Exited, ExitCode: 3}, false, false, false, "it has ended with exit code 3"},
	} {
		if well, bad := judge(&c.c, c.finish, c.stayed); well != c.well || bad != c.bad {
			t.Errorf("%+v: %v, %q", c.c, well, bad)
		}
	}
}

// testRelease has one service, whose body and image are given, and files.
func testRelease(body, rest string, files map[string]string) *Release {
	p := &plant{site: &fakeSite{releases: make(map[string]*Release)}}
	r := p.release("1.0", []patch.Image{{Name: "a"}}, map[string]string{"h": "web a: " + body}, files)
	f := r.Files.(linked).MapFS["manifest/h/compose.yaml"]
	f.Data = append(f.Data, rest...)
	return r
}

func renderTest(r *Release, mounts string) (*desired, error) {
	of := renderer{site: "north", host: "h", release: r, images: map[string]digest.Digest{"a": "sha256:1"}, mounts: mounts}
	return of.render()
}

func TestRender(t *testing.T) {
	files := map[string]string{"conf/dir/x": "1", "conf/one": "1"}
	base := `volumes: ["../../conf/dir:/a:ro", "data:/b", "/etc/c:/c", "/d"]`
	render := func(body string, files map[string]string) (*desired, string) {
		t.Helper()
		d, err := renderTest(testRelease(body, "volumes: {data: {}}\n", files), "/m$:")
		if err != nil {
			t.Fatal(err)
		}
		if s := d.services["web"]; s != nil {
			return d, s.sum
		}
		return d, ""
	}
	d, sum := render(base, files)
	for _, want := range []string{"image: sha256:1\n", "flotobuild.site: north", "flotobuild.host: h", "source: /m$$:/", "- data:/b", "- /etc/c:/c", "read_only: true", "flotobuild.service: " + sum} {
		if !strings.Contains(string(d.compose), want) {
			t.Errorf("no %q in\n%s", want, d.compose)
		}
	}
	if _, again := render(base, files); again != sum {
		t.Error("the same service has two sums")
	}
	if _, other := render(base, map[string]string{"conf/dir/x": "1", "conf/one": "2"}); other != sum {
		t.Error("a file that it does not see counts")
	}
	for name, files := range map[string]map[string]string{
		"content": {"conf/dir/x": "2"}, "name": {"conf/dir/y": "1"}, "more": {"conf/dir/x": "1", "conf/dir/y": "1"}, "link": {"conf/dir/x@1": "1"},
	} {
		if _, other := render(base, files); other == sum {
			t.Errorf("%s: it does not count", name)
		}
	}
	if _, other := render(base+", environment: {A: b}", files); other == sum {
		t.Error("the environment does not count")
	}
	d, _ = render("profiles: [debug]", files)
	if len(d.services) != 0 {
		t.Error("a service of a profile should run")
	}
}

func TestRenderErrors(t *testing.T) {
	for body, want := range map[string]string{
		`volumes: ["../../conf/none:/a"]`: `"conf/none", and the patch has nothing there`,
		`volumes: ["../../../etc:/a"]`:    "the patch has nothing there",
		`volumes: [":::"]`:                "volume",
		"x: }":                            "cannot use \"manifest/h/compose.yaml\"",
	} {
		if _, err := renderTest(testRelease(body, "", nil), "/m"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", body, err)
		}
	}
	for rest, want := range map[string]string{
		"  other: {image: x}\n":                   "the manifest does not list it",
		"  other: 1\n":                            "no mapping",
		"configs: {c: {file: ../../conf/none}}\n": "the patch has nothing there",
	} {
		if _, err := renderTest(testRelease("tty: true", rest, nil), "/m"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", rest, err)
		}
	}
}

func TestReleaseCheck(t *testing.T) {
	for want, m := range map[string]*lang.Manifest{
		"no manifest":      nil,
		"cannot be that":   {Hosts: []lang.ManifestHost{{Name: "../x"}}},
		"does not have":    {Hosts: []lang.ManifestHost{{Name: "h"}}, Containers: []lang.ManifestContainer{{Name: "a", Host: "h", Image: "b"}}},
		"cannot be that o": {Hosts: []lang.ManifestHost{{Name: ""}}},
	} {
		if err := (&Release{Manifest: m}).check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestImageTag(t *testing.T) {
	r := &Release{Version: "1.0.0+build/7", Manifest: &lang.Manifest{Project: "plant_a-"}}
	if got := imageTag(r, "Historian_DB.2"); got != "plant-a/historian-db-2:1.0.0-build-7" {
		t.Error(got)
	}
	r.Version = "--"
	if got := imageTag(r, "ä"); got != "plant-a/image:patch" {
		t.Error(got)
	}
}
