package deploy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/flotobuild/flotobuild/site"
)

// failed brings back what ran before, and makes the patch before active again.
func (r *run) failed(ctx context.Context, report *Report, release *Release, tasks []*task, failure *Failure) error {
	report.Failure = failure
	r.tell(Event{Kind: Failed, Host: failure.Host, Name: failure.Container, Text: failure.Reason})
	noted := r.note(report, failure)
	if r.NoRollback || !r.canGoBack(release.ref(), tasks) {
		r.state.Pending = nil
		return errors.Join(r.save(), noted)
	}
	r.state.Pending.Back = true
	if err := r.save(); err != nil {
		return errors.Join(err, noted)
	}
	back, err := r.back(ctx, tasks)
	report.Back = back
	if second := (*Failure)(nil); errors.As(err, &second) && ctx.Err() == nil {
		r.tell(Event{Kind: Failed, Host: second.Host, Name: second.Container, Text: second.Reason})
		report.BackFailure, err = second.Error(), nil
	}
	return errors.Join(err, noted)
}

// canGoBack says whether another patch ran before on one of the hosts, or the same
// one with other values.
func (r *run) canGoBack(failed site.Ref, tasks []*task) bool {
	for _, t := range tasks {
		if s, ok := r.state.Hosts[t.host]; ok && !same(s.ref(), failed) {
			return true
		}
	}
	return false
}

// resumeBack finishes what a killed redeploy had begun to bring back: the patch
// that has failed must not be the active one. Its containers are what the
// redeploy that follows compares with.
func (r *run) resumeBack(ctx context.Context) error {
	p := r.state.Pending
	if p == nil || !p.Back {
		return nil
	}
	active, err := r.site.Active()
	if err != nil || !same(active, p.ref()) {
		return err
	}
	return r.activateBefore(ctx, p.ref(), p.Hosts)
}

// back brings the patches before up on the hosts of tasks.
func (r *run) back(ctx context.Context, tasks []*task) (string, error) {
	var hosts []string
	for _, t := range tasks {
		if !slices.Contains(hosts, t.host) { // it may have moved from one engine to another
			hosts = append(hosts, t.host)
		}
	}
	failed := r.state.Pending.ref()
	if err := r.activateBefore(ctx, failed, hosts); err != nil {
		return "", err
	}
	before, err := r.before(ctx, hosts)
	if err != nil {
		return "", err
	}
	back := r.state.Patch
	for _, t := range before {
		if t.release != nil {
			back = t.release.ID
		}
	}
	e := Event{Kind: Returning, Name: back}
	if back == failed.Patch {
		e.Text = "with the values of before"
	}
	r.tell(e)
	r.noteTags(before)
	if err := r.ready(ctx, before); err != nil {
		return back, err
	}
	failure := r.up(ctx, before)
	if failure != nil && !errors.As(failure, new(*Failure)) {
		return back, failure
	}
	// Even where something does not come up: it is what can be had.
	r.deployed(ctx, before)
	r.state.Pending = nil
	return back, errors.Join(r.save(), failure)
}

// activateBefore makes active what was deployed before, unless the failed one
// stays on some host.
func (r *run) activateBefore(ctx context.Context, failed site.Ref, hosts []string) error {
	to := site.Ref{Patch: r.state.Patch, Values: r.state.Values}
	for _, name := range slices.Sorted(maps.Keys(r.state.Hosts)) {
		s := r.state.Hosts[name]
		if same(s.ref(), failed) {
			return nil
		}
		if to.Patch == "" && slices.Contains(hosts, name) {
			to = s.ref()
		}
	}
	if to.Patch == "" || same(to, failed) {
		return nil
	}
	return r.site.Return(ctx, to, r.By)
}

// before gives the tasks that bring the hosts back: each to the patch that ran
// there. Where none did, what the failed one has made goes.
func (r *run) before(ctx context.Context, hosts []string) ([]*task, error) {
	releases := make(map[site.Ref]*Release)
	var out []*task
	for _, host := range hosts {
		s, deployed := r.state.Hosts[host]
		if !deployed {
			continue
		}
		release := releases[s.ref()]
		if release == nil {
			var err error
			if release, err = r.release(s.ref()); err != nil {
				return nil, err
			}
			releases[s.ref()] = release
		}
		t, err := r.task(ctx, release, host)
		if err != nil {
			return nil, fmt.Errorf("host %q: %w", host, err)
		}
		out = append(out, t)
	}
	places := slices.DeleteFunc(r.places(), func(p Place) bool { return !slices.Contains(hosts, p.Host) })
	return append(out, r.retiredTasks(ctx, places, out)...), nil
}

// sweep removes the mounts of this machine that no container has any more, and
// the Compose files of hosts that are no more. They can be made again from the
// store. Mounts of other machines stay: engines cannot remove files.
func (r *run) sweep(tasks []*task) error {
	mounts, hosts := make(map[string]bool), make(map[string]bool)
	for _, t := range tasks {
		if t.release != nil {
			hosts[t.host] = true
		}
		for d := range t.want.mounts {
			mounts[d.Encoded()] = true
		}
	}
	for host := range r.state.Hosts {
		if !hosts[host] {
			return nil // its containers may have any of the mounts
		}
	}
	if len(r.state.Unsettled) > 0 {
		return nil // so may those
	}
	if err := errors.Join(keepOnly(r.path(mountsDir), mounts), keepOnly(r.path(hostsDir), hosts)); err != nil {
		return fmt.Errorf("cannot tidy up: %w", err)
	}
	return nil
}

// keepOnly removes what is in a folder under other names.
func keepOnly(dir string, names map[string]bool) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if !names[e.Name()] {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	return err
}
