package deploy

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/flotobuild/flotobuild/site/docker"
)

// up turns the containers of all hosts into what is wanted, one wave after
// another. The error is a *Failure where containers do not come up.
func (r *run) up(ctx context.Context, tasks []*task) error {
	needs := make(map[string][]string)
	for _, t := range tasks {
		for name, s := range t.want.services {
			needs[name] = s.needs
		}
	}
	order, err := waves(needs)
	if err != nil {
		return err
	}
	// First, since what is gone may hold ports that others want.
	for _, t := range tasks {
		if err := r.removeOrphans(ctx, t); err != nil {
			return err
		}
	}
	for _, wave := range order {
		if err := r.wave(ctx, tasks, wave, finished(tasks)); err != nil {
			return err
		}
	}
	return r.stillWell(ctx, tasks)
}

// finished gives the containers that others need to have ended.
func finished(tasks []*task) map[string]bool {
	out := make(map[string]bool)
	for _, t := range tasks {
		for _, s := range t.want.services {
			for _, name := range s.finished {
				out[name] = true
			}
		}
	}
	return out
}

func (r *run) removeOrphans(ctx context.Context, t *task) error {
	for _, s := range t.steps {
		if s.Action != Remove {
			continue
		}
		r.tell(Event{Kind: Removing, Host: t.host, Name: s.Container})
		for i := range s.containers {
			if err := t.engine.Remove(ctx, &s.containers[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// wave brings the containers of a wave up, on every host that has some.
func (r *run) wave(ctx context.Context, tasks []*task, wave []string, finished map[string]bool) error {
	var waits []*wait
	for _, t := range tasks {
		var steps []*Step
		for _, name := range wave {
			if s := t.step(name); s != nil && s.changes() && s.Action != Remove {
				steps = append(steps, s)
			}
		}
		if steps == nil {
			continue
		}
		if err := r.bring(ctx, t, steps); err != nil {
			return err
		}
		for _, s := range steps {
			waits = append(waits, &wait{task: t, service: t.want.services[s.Container], finish: finished[s.Container]})
		}
	}
	return r.await(ctx, waits)
}

// bring makes or starts containers of one host.
func (r *run) bring(ctx context.Context, t *task, steps []*Step) error {
	var plain, forced, names []string
	args := []string{"up", "--detach", "--no-build", "--no-deps"}
	for _, s := range steps {
		names = append(names, s.Container)
		service := t.want.services[s.Container]
		if err := r.tidy(ctx, t, service, s.containers); err != nil {
			return err
		}
		if s.force {
			forced = append(forced, s.Container)
		} else {
			plain = append(plain, s.Container)
		}
		if service.count != 1 {
			args = append(args, "--scale", s.Container+"="+strconv.Itoa(service.count))
		}
	}
	r.tell(Event{Kind: Bringing, Host: t.host, Name: strings.Join(names, ", ")})
	socket, err := t.engine.Socket(ctx, "")
	if err != nil {
		return err
	}
	defer socket.Close()
	project := r.project(t, socket.Address)
	if plain != nil {
		err = r.compose.Run(ctx, project, slices.Concat(args, plain)...)
	}
	if err == nil && forced != nil {
		err = r.compose.Run(ctx, project, slices.Concat(args, []string{"--force-recreate"}, forced)...)
	}
	if err != nil && ctx.Err() == nil {
		return r.refused(ctx, t, names, err)
	}
	return err
}

// replacing begins the names that Compose gives containers while it replaces
// them by others.
var replacing = regexp.MustCompile(`^[0-9a-f]{12}_(.+)$`)

// tidy finishes what Compose was killed in: where the new container is there, the
// old one goes, and the new one gets its name. Where there is the old one only,
// Compose begins again by itself.
func (r *run) tidy(ctx context.Context, t *task, s *service, have []docker.Container) error {
	isNew := func(c docker.Container) bool { return c.Labels[labelService] == s.sum }
	if !slices.ContainsFunc(have, isNew) {
		return nil
	}
	for i := range have {
		if !isNew(have[i]) {
			if err := t.engine.Remove(ctx, &have[i]); err != nil {
				return err
			}
		}
	}
	for i := range have {
		c := &have[i]
		name := replacing.FindStringSubmatch(c.Name)
		taken := name != nil && slices.ContainsFunc(have, func(o docker.Container) bool { return o.Name == name[1] && isNew(o) })
		if isNew(*c) && name != nil && !taken {
			if err := t.engine.Rename(ctx, c, name[1]); err != nil {
				return err
			}
		}
	}
	return nil
}

// refused makes a failure of what Compose says: of the containers that it could
// not start, else of all that it was asked for.
func (r *run) refused(ctx context.Context, t *task, names []string, cause error) error {
	f := &Failure{Host: t.host, Container: strings.Join(names, ", "), Reason: r.hide(cause.Error())}
	for _, name := range names {
		have, err := r.look(ctx, t, t.want.services[name])
		if err != nil {
			return f
		}
		for i := range have {
			if c := &have[i]; c.State != docker.Running && (c.Error != "" || c.State == docker.Created) {
				return r.failure(ctx, t, name, c, "it could not be started: "+cause.Error())
			}
		}
	}
	return f
}

// look gives the containers that a service has now, as it should have them.
func (r *run) look(ctx context.Context, t *task, s *service) ([]docker.Container, error) {
	return containers(ctx, t.engine, map[string]string{
		docker.LabelProject: t.want.project, docker.LabelService: s.name, labelHost: t.host, labelService: s.sum,
	})
}

// stillWell looks once more at what was kept: a change elsewhere must not have
// broken it. What was broken before is reported, and no failure.
func (r *run) stillWell(ctx context.Context, tasks []*task) error {
	for _, t := range tasks {
		for _, s := range t.steps {
			if s.changes() || len(s.containers) == 0 {
				continue
			}
			have, err := r.look(ctx, t, t.want.services[s.Container])
			if err != nil {
				return err
			}
			for i := range have {
				c := &have[i]
				bad := ill(c)
				switch {
				case bad != "" && s.well:
					return r.failure(ctx, t, s.Container, c, "it was not touched, ran well before, and now "+bad)
				case bad != "":
					r.tell(Event{Kind: Warning, Host: t.host, Name: s.Container, Text: fmt.Sprintf("it was not touched, and as before %s", bad)})
				}
			}
		}
	}
	return nil
}

// ill says what is wrong with a container that should run; empty where nothing is.
func ill(c *docker.Container) string {
	switch {
	case c.Done():
		return ""
	case c.Health == docker.Unhealthy:
		return "is unhealthy"
	case c.State != docker.Running:
		return "is " + c.State
	}
	return ""
}
