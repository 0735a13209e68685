package deploy

import (
	"context"
	"fmt"
	"time"

	"github.com/flotobuild/flotobuild/site/docker"
)

// A wait is for the containers of one service to come up.
type wait struct {
	task    *task
	service *service
	finish  bool // they must end, and end well

	since time.Time           // of the wait
	seen  map[string]sighting // by container
}

// A sighting is when a container was first seen in its present run.
type sighting struct {
	started string
	at      time.Time
}

// Bounds of waits without -timeout, beyond what health tests may take.
const (
	grace  = 30 * time.Second
	begins = time.Minute      // containers without a health test
	ends   = 30 * time.Minute // containers that must end
)

// await waits until all containers have come up, or one has not.
func (r *run) await(ctx context.Context, waits []*wait) error {
	for _, w := range waits {
		w.since, w.seen = time.Now(), make(map[string]sighting)
	}
	for len(waits) > 0 {
		var left []*wait
		for _, w := range waits {
			up, err := r.came(ctx, w)
			if err != nil {
				return err
			}
			if up {
				r.tell(Event{Kind: Up, Host: w.task.host, Name: w.service.name})
			} else {
				left = append(left, w)
			}
		}
		if waits = left; len(waits) == 0 {
			break
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(r.poll):
		}
	}
	return nil
}

// came looks whether all containers of a service have come up.
func (r *run) came(ctx context.Context, w *wait) (bool, error) {
	have, err := r.look(ctx, w.task, w.service)
	if err != nil {
		return false, err
	}
	up := 0
	for i := range have {
		c := &have[i]
		s, known := w.seen[c.ID]
		if !known || s.started != c.Started {
			s = sighting{c.Started, time.Now()}
			w.seen[c.ID] = s
		}
		well, bad := judge(c, w.finish, time.Since(s.at) >= r.stays)
		if limit := r.limit(c, w.finish); bad == "" && !well && time.Since(w.since) > limit {
			bad = fmt.Sprintf("it has not come up in %v: %s", limit, condition(c))
		}
		if bad != "" {
			return false, r.failure(ctx, w.task, w.service.name, c, bad)
		}
		if well {
			up++
		}
	}
	if len(have) < w.service.count && time.Since(w.since) > r.limit(nil, false) {
		return false, &Failure{Host: w.task.host, Container: w.service.name, Reason: fmt.Sprintf("it has %d containers, not %d", len(have), w.service.count)}
	}
	return up >= w.service.count && up == len(have), nil
}

// judge says whether a container has come up, or what is wrong with it; neither
// where it is too early to say. stayed says that it has run for a while without
// a new start.
func judge(c *docker.Container, finish, stayed bool) (well bool, bad string) {
	switch {
	case c.Done():
		return true, ""
	case c.State == docker.Exited || c.State == "dead":
		return false, fmt.Sprintf("it has ended with exit code %d", c.ExitCode)
	case c.Health == docker.Unhealthy:
		return false, "it is unhealthy"
	case c.State != docker.Running || finish:
		return false, ""
	case c.Health == docker.Starting:
		return false, ""
	case c.Health == docker.Healthy:
		return true, ""
	}
	return stayed, ""
}

// condition describes what a container is at, for a wait that is over.
func condition(c *docker.Container) string {
	switch {
	case c.State == docker.Restarting || c.Restarts > 0:
		return fmt.Sprintf("it ended with exit code %d and was started %d times", c.ExitCode, c.Restarts+1)
	case c.Health == docker.Starting:
		return "its health test has not succeeded"
	}
	return "it is " + c.State
}

// limit is how long a container may take.
func (r *run) limit(c *docker.Container, finish bool) time.Duration {
	switch {
	case r.Timeout > 0:
		return r.Timeout
	case finish:
		return ends
	case c != nil && c.Patience > 0:
		return max(c.Patience+grace, begins)
	}
	return begins
}
