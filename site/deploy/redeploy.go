package deploy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// A Report says what a redeploy has done, or would do.
type Report struct {
	Site  string       `json:"site"`
	Patch string       `json:"patch"`          // the active one
	From  string       `json:"from,omitempty"` // what ran before on the hosts; empty where nothing did, or several patches
	Hosts []HostReport `json:"hosts"`          // sorted by name
	// Failure is why the patch did not come up. The patch named by Back was
	// brought back then: the same patch where it ran with other values of the site
	// before. It is empty where none was, or BackFailure says why it did not come up
	// either.
	Failure     *Failure `json:"failure,omitempty"`
	Back        string   `json:"back,omitempty"`
	BackFailure string   `json:"backFailure,omitempty"`
}

// A HostReport is the part of one host.
type HostReport struct {
	Host   string       `json:"host"`
	Engine string       `json:"engine"` // endpoint
	Loads  []LoadReport `json:"loads,omitempty"`
	Steps  []Step       `json:"steps"`
}

// A LoadReport is an image that the engine lacks.
type LoadReport struct {
	Image string `json:"image"`
	Bytes int64  `json:"bytes"` // of the layers that are sent, as the store has them
}

// Changes says whether something is to be done.
func (r *Report) Changes() bool {
	for _, h := range r.Hosts {
		for _, s := range h.Steps {
			if s.changes() {
				return true
			}
		}
	}
	return false
}

// Plan says what Redeploy would do, and changes nothing.
func (d *Deployment) Plan(ctx context.Context, o Options) (*Report, error) {
	r, err := d.newRun(ctx, o)
	if err != nil {
		return nil, o.hideIn(fmt.Errorf("cannot plan the redeploy: %w", err))
	}
	defer r.close()
	release, err := r.active()
	if err != nil {
		return nil, err
	}
	tasks, err := r.tasks(ctx, release)
	if err != nil {
		return nil, r.hideIn(fmt.Errorf("cannot plan the redeploy: %w", err))
	}
	return r.report(release, tasks), nil
}

// Redeploy brings the active patch up. Where its containers do not come up, what
// ran before is brought back, and the patch before is active again: that is no
// error, and Report.Failure says so. After an error containers may be in between;
// the next redeploy goes on from there.
func (d *Deployment) Redeploy(ctx context.Context, o Options) (*Report, error) {
	if err := d.folders(); err != nil {
		return nil, fmt.Errorf("cannot redeploy: %w", err)
	}
	unlock, err := d.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := d.discard(); err != nil {
		return nil, fmt.Errorf("cannot redeploy: %w", err)
	}
	r, err := d.newRun(ctx, o)
	if err != nil {
		return nil, o.hideIn(fmt.Errorf("cannot redeploy: %w", err))
	}
	defer r.close()
	report, err := r.redeploy(ctx)
	if err != nil {
		err = r.hideIn(fmt.Errorf("cannot redeploy: %w", err))
	}
	return report, err
}

func (r *run) redeploy(ctx context.Context) (*Report, error) {
	if err := r.resumeBack(ctx); err != nil {
		return nil, err
	}
	release, err := r.active()
	if err != nil {
		return nil, err
	}
	tasks, err := r.tasks(ctx, release)
	if err != nil {
		return nil, err
	}
	report := r.report(release, tasks)
	if err := r.begin(release, tasks); err != nil {
		return report, err
	}
	if err := r.ready(ctx, tasks); err != nil {
		return report, err
	}
	err = r.up(ctx, tasks)
	if failure := (*Failure)(nil); errors.As(err, &failure) && ctx.Err() == nil {
		return report, r.failed(ctx, report, release, tasks, failure)
	}
	if err == nil {
		err = r.finish(ctx, release, tasks)
	}
	return report, errors.Join(err, r.note(report, err))
}

// begin notes that images and containers are about to change.
func (r *run) begin(release *Release, tasks []*task) error {
	p := &Pending{Patch: release.ID, Values: release.Values, Since: time.Now().UTC().Truncate(time.Second), By: r.By}
	for _, t := range tasks {
		p.Hosts = append(p.Hosts, t.host)
		if t.release != nil && r.state.Hosts[t.host].Engine != t.engine.ID {
			r.state.unsettle(t.place())
		}
	}
	r.state.Pending = p
	r.noteTags(tasks)
	return r.save()
}

// finish notes what runs now, and removes images that nothing needs any more.
func (r *run) finish(ctx context.Context, release *Release, tasks []*task) error {
	r.deployed(ctx, tasks)
	if r.state.hasAll(release) {
		r.state.Patch, r.state.Values = release.ID, release.Values
	}
	r.state.Pending = nil
	if err := r.save(); err != nil {
		return err
	}
	return r.sweep(tasks)
}

// deployed writes into the state what runs on the hosts, and lets go of images
// that no one needs.
func (r *run) deployed(ctx context.Context, tasks []*task) {
	for _, t := range tasks {
		r.state.settle(t.host, t.engine.ID)
		old := r.state.Hosts[t.host]
		if t.release == nil {
			if old.Engine == t.engine.ID && old.Docker == t.docker {
				delete(r.state.Hosts, t.host)
			}
			continue
		}
		now := HostState{
			Patch: t.release.ID, Values: t.release.Values, Before: old.Before, BeforeValues: old.BeforeValues,
			Since: old.Since, Docker: t.docker, Engine: t.engine.ID,
		}
		if !same(old.ref(), now.ref()) {
			now.Before, now.BeforeValues = old.Patch, old.Values
		}
		if !same(old.ref(), now.ref()) || old.Engine != now.Engine {
			now.Since = time.Now().UTC().Truncate(time.Second)
		}
		r.state.Hosts[t.host] = now
		if old.Engine != "" && old.Engine != now.Engine {
			r.state.unsettle(Place{t.host, old.Docker, old.Engine}) // until the task that retires it, which comes after
		}
	}
	r.untag(ctx, tasks)
}

// note writes a line into the site's history.
func (r *run) note(report *Report, failure error) error {
	changed := 0
	for _, h := range report.Hosts {
		for _, s := range h.Steps {
			if s.changes() {
				changed++
			}
		}
	}
	detail := fmt.Sprintf("containers changed: %d, hosts: %d", changed, len(report.Hosts))
	return r.site.Record(r.By, report.Patch, report.From, detail, r.hideIn(failure))
}

// tasks looks at all hosts that are to be redeployed, and at those that the
// patch no longer has.
func (r *run) tasks(ctx context.Context, release *Release) ([]*task, error) {
	hosts, err := r.chosen(release)
	if err != nil {
		return nil, err
	}
	var out []*task
	for _, h := range hosts {
		t, err := r.task(ctx, release, h)
		if err != nil {
			return nil, fmt.Errorf("host %q: %w", h, err)
		}
		out = append(out, t)
	}
	if len(r.Hosts) > 0 {
		return out, nil
	}
	return append(out, r.retiredTasks(ctx, r.places(), out)...), nil
}

func (r *run) report(release *Release, tasks []*task) *Report {
	out := &Report{Site: r.site.Name(), Patch: release.ID}
	from := make(map[string]bool)
	for _, t := range tasks {
		h := HostReport{Host: t.host, Engine: t.engine.Name, Steps: t.steps}
		for _, l := range t.loads {
			if !l.Present {
				h.Loads = append(h.Loads, LoadReport{l.Image, l.Size()})
			}
		}
		if s, ok := r.state.Hosts[t.host]; ok {
			from[s.Patch] = true
		}
		out.Hosts = append(out.Hosts, h)
	}
	if len(from) == 1 {
		out.From = slices.Collect(maps.Keys(from))[0]
	}
	return out
}
