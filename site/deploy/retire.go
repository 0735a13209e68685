package deploy

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// retiredTasks are for those of places that are not among those of tasks. One
// that does not answer is left for later.
func (r *run) retiredTasks(ctx context.Context, places []Place, tasks []*task) []*task {
	var out []*task
	for _, p := range places {
		if slices.ContainsFunc(tasks, func(t *task) bool { return t.host == p.Host && t.engine.ID == p.Engine }) {
			continue
		}
		t, err := r.retired(ctx, p)
		switch {
		case err != nil:
			r.tell(Event{Kind: Warning, Host: p.Host, Text: fmt.Sprintf("it is not in the patch, and what runs there stays: %v", err)})
			r.state.unsettle(p)
		case t != nil:
			out = append(out, t)
		default: // that engine is no more
			r.state.settle(p.Host, p.Engine)
			if !slices.ContainsFunc(tasks, func(t *task) bool { return t.host == p.Host }) {
				delete(r.state.Hosts, p.Host)
			}
		}
	}
	return out
}

// places gives where containers may be, each once.
func (r *run) places() []Place {
	var out []Place
	for _, host := range slices.Sorted(maps.Keys(r.state.Hosts)) {
		s := r.state.Hosts[host]
		out = append(out, Place{host, s.Docker, s.Engine})
	}
	for _, p := range r.state.Unsettled {
		if !slices.ContainsFunc(out, func(o Place) bool { return o.Host == p.Host && o.Engine == p.Engine }) {
			out = append(out, p)
		}
	}
	return out
}

// retired is the task for a place where nothing should run: the patch does not
// have the host, or has it on another engine. There is none where another engine
// has taken the place.
func (r *run) retired(ctx context.Context, p Place) (*task, error) {
	t := &task{host: p.Host, docker: p.Docker, want: new(desired)}
	var err error
	if t.engine, err = r.engine(ctx, p.Docker); err != nil {
		return nil, err
	}
	if t.engine.ID != p.Engine {
		return nil, nil
	}
	return t, r.compare(ctx, t)
}
