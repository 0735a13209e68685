package deploy

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/site"
	"github.com/flotobuild/flotobuild/site/docker"
	"github.com/flotobuild/flotobuild/site/docker/dockertest"
	"github.com/flotobuild/flotobuild/store"
)

// A fakeSite is a site with releases that a test makes.
type fakeSite struct {
	dir      string
	blobs    *store.Store
	releases map[string]*Release // by id and values
	active   string
	values   string
	history  []string
}

func (s *fakeSite) Name() string        { return "north" }
func (s *fakeSite) Dir() string         { return s.dir }
func (s *fakeSite) Blobs() *store.Store { return s.blobs }

func (s *fakeSite) Active() (site.Ref, error) {
	return site.Ref{Patch: s.active, Values: s.values}, nil
}

func (s *fakeSite) Release(ref site.Ref) (*Release, error) {
	if r := s.releases[ref.Patch+ref.Values]; r != nil {
		return r, nil
	}
	return nil, fmt.Errorf("no patch %v", ref)
}

func (s *fakeSite) Return(_ context.Context, to site.Ref, _ string) error {
	s.active, s.values = to.Patch, to.Values
	return nil
}

func (s *fakeSite) Record(_, patch, _, _ string, failure error) error {
	s.history = append(s.history, fmt.Sprintf("%s: %v", patch, failure))
	return nil
}

// A plant is a site with an engine and a base image.
type plant struct {
	t      *testing.T
	site   *fakeSite
	images dockertest.Images
	base   patch.Layer
	env    map[string]string
	engine *docker.Engine
	remote string // folder with files on machines of engines

	mu     sync.Mutex
	events []string
}

func newPlant(t *testing.T) *plant {
	t.Helper()
	t.Parallel() // each has an engine of its own
	dir := t.TempDir()
	s, err := store.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	p := &plant{
		t: t, site: &fakeSite{dir: dir, blobs: s, releases: make(map[string]*Release)}, images: dockertest.Images{T: t, Store: s},
		env: map[string]string{"DOCKER_HOST": dockertest.Start(t)}, remote: t.TempDir(),
	}
	p.base = p.images.Rootfs(store.Zstd)
	p.engine = p.connect("")
	return p
}

func (p *plant) environment() docker.Environment {
	return docker.Environment{Getenv: func(name string) string { return p.env[name] }, Home: p.t.TempDir()}
}

func (p *plant) connect(endpoint string) *docker.Engine {
	p.t.Helper()
	at, err := p.environment().Resolve(endpoint)
	if err != nil {
		p.t.Fatal(err)
	}
	e, err := docker.Connect(p.t.Context(), at)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { e.Close() })
	return e
}

// image makes an image of the base and a file that tells its content.
func (p *plant) image(name, content string) patch.Image {
	return p.images.Image(name, p.base, p.images.Layer(store.Zstd, "content", content))
}

// loop is a container that runs on.
const loop = `command: ["/bin/sh", "-c", "while true; do sleep 0.2; done"], network_mode: none, stop_grace_period: 1s`

// release adds a patch. hosts are the lines of services by host; a service is
// NAME IMAGE[ < NAME,NAME]: REST, REST being the rest of its flow mapping.
func (p *plant) release(id string, images []patch.Image, hosts map[string]string, files map[string]string) *Release {
	r := &Release{ID: id, Version: id, Images: images, Manifest: &lang.Manifest{FormatVersion: 1, Site: "north", Project: "plant"}}
	all := fstest.MapFS{}
	add := func(name, content string, mode patch.Mode) {
		c := patch.NewContent(name, []byte(content))
		c.Mode = mode
		r.Contents = append(r.Contents, c)
		all[name] = &fstest.MapFile{Data: []byte(content), Mode: mode.FileMode()}
	}
	for host, lines := range hosts {
		name, endpoint, _ := strings.Cut(host, "=")
		h := lang.ManifestHost{Name: name, Docker: endpoint, Compose: "manifest/" + name + "/compose.yaml"}
		var text strings.Builder
		text.WriteString("services:\n")
		for _, line := range strings.Split(strings.TrimSpace(lines), "\n") {
			head, rest, _ := strings.Cut(strings.TrimSpace(line), ": ")
			head, needs, _ := strings.Cut(head, " < ")
			service, image, _ := strings.Cut(head, " ")
			c := lang.ManifestContainer{Name: service, Host: name, Image: image}
			if needs != "" {
				c.DependsOn = strings.Split(needs, ",")
			}
			for _, i := range images {
				if i.Name == image {
					c.ImageID = i.ID.String()
				}
			}
			r.Manifest.Containers = append(r.Manifest.Containers, c)
			fmt.Fprintf(&text, "  %s: {image: x, %s}\n", service, rest)
		}
		r.Manifest.Hosts = append(r.Manifest.Hosts, h)
		add(h.Compose, text.String(), patch.ModeFile)
	}
	slices.SortFunc(r.Manifest.Hosts, func(a, b lang.ManifestHost) int { return strings.Compare(a.Name, b.Name) })
	for name, content := range files {
		name, link, _ := strings.Cut(name, "@")
		mode := patch.ModeFile
		if link != "" {
			mode = patch.ModeSymlink
		}
		add(name, content, mode)
	}
	slices.SortFunc(r.Contents, func(a, b patch.Content) int { return strings.Compare(a.Path, b.Path) })
	r.Files = linked{all}
	p.site.releases[id] = r
	return r
}

// linked gives the targets of links, which are their content.
type linked struct{ fstest.MapFS }

func (l linked) ReadLink(name string) (string, error) { return string(l.MapFS[name].Data), nil }

func (l linked) Lstat(name string) (fs.FileInfo, error) { return l.MapFS.Lstat(name) }

func (p *plant) deployment() *Deployment {
	d := New(p.site, p.environment(), os.Environ())
	d.poll, d.stays, d.remote = 50*time.Millisecond, 300*time.Millisecond, p.remote
	return d
}

func (p *plant) options(o Options) Options {
	o.Event = func(e Event) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if e.Kind != Loading {
			p.events = append(p.events, fmt.Sprintf("%s %s %s", e.Kind, e.Host, e.Name))
		}
	}
	p.events = nil
	return o
}

// redeploy activates a patch and brings it up.
func (p *plant) redeploy(id string, o Options) *Report {
	p.t.Helper()
	p.site.active = id
	r, err := p.deployment().Redeploy(p.t.Context(), p.options(o))
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

// well fails unless the report has no failure and these actions, as
// CONTAINER=ACTION with spaces between.
func (p *plant) well(r *Report, want string) {
	p.t.Helper()
	if r.Failure != nil {
		p.t.Fatalf("%v\n%s\n%s", r.Failure, r.Failure.Probe, strings.Join(r.Failure.Log, "\n"))
	}
	if got := actions(r); got != want {
		p.t.Errorf("actions %q, want %q", got, want)
	}
}

func actions(r *Report) string {
	var out []string
	for _, h := range r.Hosts {
		for _, s := range h.Steps {
			out = append(out, s.Container+"="+string(s.Action))
		}
	}
	return strings.Join(out, " ")
}

// running gives the ids of the containers of the project that run, by name.
func (p *plant) running() map[string]string {
	p.t.Helper()
	out := make(map[string]string)
	for _, c := range p.containers() {
		if c.State == docker.Running {
			out[c.Service()] = c.ID
		}
	}
	return out
}

func (p *plant) containers() []docker.Container {
	p.t.Helper()
	all, err := p.engine.Containers(p.t.Context(), map[string]string{docker.LabelProject: "plant"})
	if err != nil {
		p.t.Fatal(err)
	}
	return all
}
