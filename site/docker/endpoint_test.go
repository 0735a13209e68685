package docker

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	clicontext "github.com/docker/cli/cli/context"
	"github.com/docker/cli/cli/context/docker"
	"github.com/docker/cli/cli/context/store"

	"github.com/flotobuild/flotobuild/site/docker/dockertest"
)

// makeContext writes a Docker context as the docker command does.
func makeContext(t *testing.T, dir, name, host string) {
	t.Helper()
	s := store.New(filepath.Join(dir, "contexts"), store.NewConfig(nil, store.EndpointTypeGetter(docker.DockerEndpoint, func() any { return &docker.EndpointMeta{} })))
	if err := s.CreateOrUpdate(store.Metadata{Name: name, Endpoints: map[string]any{docker.DockerEndpoint: clicontext.EndpointMetaBase{Host: host}}}); err != nil {
		t.Fatal(err)
	}
	tls := &store.EndpointTLSData{Files: map[string][]byte{"ca.pem": []byte("x")}}
	if err := s.ResetEndpointTLSMaterial(name, docker.DockerEndpoint, tls); err != nil {
		t.Fatal(err)
	}
}

func TestResolve(t *testing.T) {
	dir := t.TempDir()
	makeContext(t, dir, "line2", "tcp://line2.plant.example:2376")
	os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"currentContext":"line2"}`), 0o600)
	empty := t.TempDir()
	for _, c := range []struct {
		text    string
		vars    string // NAME=VALUE with spaces between
		name    string
		address string
		err     string
	}{
		{"", "", "unix:///var/run/docker.sock", "unix:///var/run/docker.sock", ""},
		{"", "DOCKER_HOST=unix:///x.sock", "unix:///x.sock", "unix:///x.sock", ""},
		{"", "DOCKER_CONFIG=" + dir, "line2", "tcp://line2.plant.example:2376", ""},
		{"", "DOCKER_CONTEXT=default DOCKER_CONFIG=" + dir, "unix:///var/run/docker.sock", "unix:///var/run/docker.sock", ""},
		{"", "DOCKER_HOST=unix:///x.sock DOCKER_CONFIG=" + dir, "unix:///x.sock", "unix:///x.sock", ""},
		{"default", "DOCKER_CONFIG=" + dir, "unix:///var/run/docker.sock", "unix:///var/run/docker.sock", ""},
		{"line2", "DOCKER_CONFIG=" + dir, "line2", "tcp://line2.plant.example:2376", ""},
		{"ssh://ada@line2", "DOCKER_HOST=unix:///x.sock", "ssh://ada@line2", "ssh://ada@line2", ""},
		{"line3", "DOCKER_CONFIG=" + dir, "", "", `cannot use the Docker context "line3"`},
		{"../x", "", "", "", `cannot use the Docker context "../x"`},
		{"ftp://x", "", "", "", "begins with none of"},
		{"tcp://", "", "", "", "names no host"},
		{"unix://", "", "", "", "names no socket"},
		{"tcp://a:b c", "", "", "", "cannot use the engine's address"},
		{"ssh://ada:word@line2", "", "", "", "it has a password"},
		{"tcp://x:1", "DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=" + empty, "", "", "cannot read the keys"},
	} {
		vars := map[string]string{"DOCKER_CONFIG": empty}
		for _, v := range strings.Fields(c.vars) {
			name, value, _ := strings.Cut(v, "=")
			vars[name] = value
		}
		p, err := environment(vars).Resolve(c.text)
		switch {
		case c.err != "":
			if err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "word@") {
				t.Errorf("%q, %s: %v", c.text, c.vars, err)
			}
		case err != nil:
			t.Errorf("%q, %s: %v", c.text, c.vars, err)
		case p.Name != c.name || p.Address != c.address:
			t.Errorf("%q, %s: %q, %q", c.text, c.vars, p.Name, p.Address)
		case p.Name == "line2" && (p.docker.TLSData == nil || string(p.docker.TLSData.CA) != "x"):
			t.Errorf("the context's keys were not read")
		}
	}
}

// TestSSH goes through an ssh that stays on this machine, as the way there is
// the docker command's.
func TestSSH(t *testing.T) {
	local := dockertest.Start(t)
	bin := t.TempDir()
	// The last argument is the command for the far side.
	script := "#!/bin/sh\nfor last; do :; done\nDOCKER_HOST=" + local + " exec sh -c \"$last\"\n"
	if err := os.WriteFile(filepath.Join(bin, "ssh"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	p, err := environment(nil).Resolve("ssh://ada@line2.plant.example")
	if err != nil {
		t.Fatal(err)
	}
	e, err := Connect(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	s, err := e.Socket(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	near, err := environment(nil).Resolve(s.Address)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Connect(t.Context(), near)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if e.ID == "" || again.ID != e.ID || e.Local() {
		t.Errorf("engines %q and %q", e.ID, again.ID)
	}
}

func TestConnectNowhere(t *testing.T) {
	p, err := environment(nil).Resolve("unix://" + filepath.Join(t.TempDir(), "none"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Connect(t.Context(), p); err == nil || !strings.Contains(err.Error(), "cannot use the Docker engine") {
		t.Error(err)
	}
}

func TestArchitecture(t *testing.T) {
	for machine, want := range map[string]string{"x86_64": "x86_64", "armv7l": "arm/v7", "i686": "386"} {
		if got := architecture(machine); got != want {
			t.Errorf("%s: %s", machine, got)
		}
	}
}
