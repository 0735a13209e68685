package deploy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/site"
	"github.com/flotobuild/flotobuild/site/docker"
)

// Names in the site's store, see the package's documentation.
const (
	folder      = "deploy"
	stateFile   = "state.json"
	lockFile    = "lock"
	hostsDir    = "hosts"
	mountsDir   = "mounts"
	composeFile = "compose.yaml"
)

// RemoteFolder is where engines on other machines get the files of patches that
// their containers see: RemoteFolder/SITE/mounts.
const RemoteFolder = "/var/lib/flotobuild-mounts"

// A Deployment brings the containers of one site up.
type Deployment struct {
	site    Site
	env     docker.Environment
	environ []string

	poll   time.Duration // between two looks at containers
	stays  time.Duration // what a container without a health test must run for
	remote string        // RemoteFolder, but for tests
}

// New gives the deployment of a site. env says where engines are, and environ is
// the environment that Compose runs with.
func New(s Site, env docker.Environment, environ []string) *Deployment {
	return &Deployment{site: s, env: env, environ: environ, poll: 300 * time.Millisecond, stays: 2 * time.Second, remote: RemoteFolder}
}

// Options say what to redeploy, and how.
type Options struct {
	// Hosts are the hosts to redeploy; none means all.
	Hosts []string
	// Changed leaves containers alone that the patch has not changed, those that
	// do not run included.
	Changed bool
	// Timeout bounds the wait for each container to come up. 0 means what its
	// health test may take, and half a minute more.
	Timeout time.Duration
	// NoRollback leaves containers that do not come up as they are.
	NoRollback bool
	// By is who does it, for the site's history.
	By string
	// Secrets are texts that no report, event or error may hold.
	Secrets []string
	// Event is called with what happens, from one goroutine at a time; nil for
	// nobody.
	Event func(Event)
}

// path is a path in the deployment's own folder.
func (d *Deployment) path(elem ...string) string {
	return filepath.Join(append([]string{d.site.Dir(), folder}, elem...)...)
}

// folders makes the deployment's own folder.
func (d *Deployment) folders() error {
	for _, name := range []string{hostsDir, mountsDir} {
		if err := os.MkdirAll(d.path(name), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// discard removes what a killed process left half-written. The caller has the
// lock: what is there without it may be in the making.
func (d *Deployment) discard() error {
	_, errs := atomicfile.Sweep(d.path())
	hosts, err := os.ReadDir(d.path(hostsDir))
	errs = errors.Join(errs, err)
	for _, e := range hosts {
		_, err := atomicfile.Sweep(d.path(hostsDir, e.Name()))
		errs = errors.Join(errs, err)
	}
	mounts, err := os.ReadDir(d.path(mountsDir))
	errs = errors.Join(errs, err)
	for _, e := range mounts {
		if strings.HasPrefix(e.Name(), ".") {
			errs = errors.Join(errs, os.RemoveAll(d.path(mountsDir, e.Name())))
		}
	}
	return errs
}

// release opens a patch and checks that it can run.
func (d *Deployment) release(ref site.Ref) (*Release, error) {
	r, err := d.site.Release(ref)
	if err == nil {
		err = r.check()
	}
	if err != nil {
		return nil, fmt.Errorf("cannot deploy patch %q: %w", ref.Patch, err)
	}
	return r, nil
}

// release opens a patch, whose secrets are hidden from then on.
func (r *run) release(ref site.Ref) (*Release, error) {
	out, err := r.Deployment.release(ref)
	if err == nil {
		r.Secrets = slices.Concat(r.Secrets, out.Secrets)
	}
	return out, err
}

// active opens the active patch.
func (r *run) active() (*Release, error) {
	ref, err := r.site.Active()
	if err != nil {
		return nil, err
	}
	if ref.Patch == "" {
		return nil, ErrNotActive
	}
	return r.release(ref)
}

// ErrNotActive means that no patch is active, so that there is nothing to
// redeploy.
var ErrNotActive = errors.New("no patch is active at the site")

// chosen gives the hosts of a release that the options name.
func (o *Options) chosen(r *Release) ([]string, error) {
	var all []string
	for _, h := range r.Manifest.Hosts {
		all = append(all, h.Name)
	}
	if len(o.Hosts) == 0 {
		return all, nil
	}
	var out []string
	for _, h := range o.Hosts {
		if !slices.Contains(all, h) {
			return nil, &UnknownHostError{h, r.ID, all}
		}
		if !slices.Contains(out, h) {
			out = append(out, h)
		}
	}
	return out, nil
}

// An UnknownHostError names a host that the patch does not have.
type UnknownHostError struct {
	Host, Patch string
	Known       []string // hosts that it has
}

// Error names the host.
func (e *UnknownHostError) Error() string {
	return fmt.Sprintf("patch %q has no host %q", e.Patch, e.Host)
}

// A run is one redeploy.
type run struct {
	*Deployment
	Options
	engines map[string]*docker.Engine // by endpoint
	compose *docker.Compose
	state   *State
}

func (d *Deployment) newRun(ctx context.Context, o Options) (*run, error) {
	r := &run{Deployment: d, Options: o, engines: make(map[string]*docker.Engine)}
	var err error
	if r.state, err = ReadState(d.site.Dir()); err != nil {
		return nil, err
	}
	r.compose, err = docker.FindCompose(ctx, d.environ)
	return r, err
}

func (r *run) close() {
	for _, e := range r.engines {
		e.Close()
	}
}

// engine connects to the engine of an endpoint, once.
func (r *run) engine(ctx context.Context, endpoint string) (*docker.Engine, error) {
	if e := r.engines[endpoint]; e != nil {
		return e, nil
	}
	p, err := r.env.Resolve(endpoint)
	if err != nil {
		return nil, err
	}
	e, err := docker.Connect(ctx, p)
	if err == nil {
		r.engines[endpoint] = e
	}
	return e, err
}

func (r *run) save() error { return r.state.save(r.path(stateFile)) }
