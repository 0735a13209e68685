package deploy

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/site/docker"
)

// A task is what a redeploy does on one host.
type task struct {
	host    string
	docker  string // endpoint as the manifest has it
	engine  *docker.Engine
	release *Release // nil for a host that the patch does not have
	want    *desired
	steps   []Step
	loads   []docker.LoadPlan
	tags    []string // names of images, one for each load
}

// task looks at a host: what it should run, and what that takes. Nothing is
// changed.
func (r *run) task(ctx context.Context, release *Release, host string) (*task, error) {
	h := release.host(host)
	t := &task{host: host, docker: h.Docker, release: release}
	var err error
	if t.engine, err = r.engine(ctx, h.Docker); err != nil {
		return nil, err
	}
	if t.loads, err = t.engine.PlanLoads(ctx, release.imagesOf(host)); err != nil {
		return nil, err
	}
	images := make(map[string]digest.Digest)
	for _, l := range t.loads {
		images[l.Image] = l.ID
		t.tags = append(t.tags, imageTag(release, l.Image))
	}
	of := renderer{site: r.site.Name(), host: host, release: release, images: images, mounts: r.mountsOf(t.engine)}
	if t.want, err = of.render(); err != nil {
		return nil, err
	}
	return t, r.compare(ctx, t)
}

// place is where the task works.
func (t *task) place() Place { return Place{t.host, t.docker, t.engine.ID} }

// compare finds the steps of a task.
func (r *run) compare(ctx context.Context, t *task) error {
	ours, err := containers(ctx, t.engine, map[string]string{labelSite: r.site.Name(), labelHost: t.host})
	if err != nil {
		return err
	}
	all := ours
	if t.want.project != "" {
		if all, err = containers(ctx, t.engine, map[string]string{docker.LabelProject: t.want.project}); err != nil {
			return err
		}
	}
	if err := foreign(r.site.Name(), t, all); err != nil {
		return err
	}
	t.steps = compare(t.want, t.host, all, ours, r.Changed && r.state.Pending == nil)
	return nil
}

// containers lists containers with these labels, without those that people have
// made with Compose's command run: they are no business of a redeploy.
func containers(ctx context.Context, e *docker.Engine, labels map[string]string) ([]docker.Container, error) {
	all, err := e.Containers(ctx, labels)
	return slices.DeleteFunc(all, func(c docker.Container) bool { return c.OneOff() }), err
}

// foreign refuses containers of another site that have the names of wanted ones:
// Compose would take them for its own, and replace them.
func foreign(site string, t *task, all []docker.Container) error {
	for i := range all {
		c := &all[i]
		if of, labelled := c.Labels[labelSite]; labelled && of != site && t.want.services[c.Service()] != nil {
			return &ForeignError{Engine: t.engine.Name, Project: t.want.project, Container: c.Service(), Site: of}
		}
	}
	return nil
}

// A ForeignError says that an engine has the containers of another site in the
// Compose project of the patch.
type ForeignError struct {
	Engine, Project string
	Container, Site string // one of them, and whose it is
}

// Error names the project and the site.
func (e *ForeignError) Error() string {
	return fmt.Sprintf("container %q of the Compose project %q on the engine %q belongs to site %q", e.Container, e.Project, e.Engine, e.Site)
}

// mountsOf is the folder with mounts on the machine of an engine.
func (r *run) mountsOf(e *docker.Engine) string {
	if e.Local() {
		return r.path(mountsDir)
	}
	return path.Join(r.remote, url.PathEscape(r.site.Name()), mountsDir)
}

// step finds the step of a container.
func (t *task) step(name string) *Step {
	for i := range t.steps {
		if t.steps[i].Container == name {
			return &t.steps[i]
		}
	}
	return nil
}
