package main

import (
	"strings"

	"github.com/flotobuild/flotobuild/site/deploy"
)

// A redeployWriter tells of a redeploy: what happens on stderr, the outcome on
// stdout.
type redeployWriter struct {
	*app
	meter *meter
}

// event prints what happens.
func (w *redeployWriter) event(e deploy.Event) {
	if e.Kind == deploy.Loading {
		w.meter.bytes(safe(e.Host)+": image "+safe(e.Name), e.Done, e.Total)
		return
	}
	w.meter.end()
	host, name, text := safe(e.Host), safe(e.Name), safe(e.Text)
	switch e.Kind {
	case deploy.Loaded:
		w.ui.notef("%s: image %s: loaded, %s", host, name, byteSize(e.Total))
	case deploy.Removing:
		w.ui.notef("%s: %s: remove", host, name)
	case deploy.Bringing:
		w.ui.notef("%s: %s: bring up", host, name)
	case deploy.Up:
		w.ui.notef("%s: %s: up", host, name)
	case deploy.Failed:
		w.ui.notef("%s: %s: failed: %s", host, name, text)
	case deploy.Returning:
		w.ui.notef("go back to %s", strings.TrimSpace(name+" "+text))
	case deploy.Warning:
		w.ui.warnf("%s: %s", strings.TrimSuffix(host+": "+name, ": "), text)
	}
}

// planned prints what would be done.
func (w *redeployWriter) planned(r *deploy.Report, asJSON bool) error {
	if asJSON {
		return w.printSiteJSON(map[string]any{"redeploy": r})
	}
	if !r.Changes() {
		w.ui.printf("Nothing to do: what runs is %s.\n", safe(r.Patch))
		return nil
	}
	w.ui.printf("To bring up %s:\n", safe(r.Patch))
	w.steps(r)
	return nil
}

// steps prints what is done to each container.
func (w *redeployWriter) steps(r *deploy.Report) {
	for _, h := range r.Hosts {
		w.ui.printf("  %s (%s)\n", safe(h.Host), safe(h.Engine))
		for _, l := range h.Loads {
			w.ui.printf("    load     image %s, %s\n", safe(l.Image), byteSize(l.Bytes))
		}
		for _, s := range h.Steps {
			why := ""
			if s.Reason != "" {
				why = ": " + s.Reason
			}
			w.ui.printf("    %-8s %s%s\n", s.Action, safe(s.Container), safe(why))
		}
	}
}

// done prints the outcome.
func (w *redeployWriter) done(r *deploy.Report, asJSON bool) error {
	if asJSON {
		if err := w.printSiteJSON(map[string]any{"redeploy": r}); err != nil || r.Failure == nil {
			return err
		}
		return exitError(1)
	}
	if r.Failure != nil {
		w.failed(r)
		return exitError(1)
	}
	if !r.Changes() {
		w.ui.printf("Nothing to do: what runs is %s.\n", safe(r.Patch))
		return nil
	}
	w.ui.printf("%s is up:\n", safe(r.Patch))
	w.steps(r)
	return nil
}

// failed prints what did not come up, and what became of it.
func (w *redeployWriter) failed(r *deploy.Report) {
	f := r.Failure
	w.ui.errorf("%v", f)
	if f.Probe != "" {
		w.ui.notef("Its last health test says:")
		w.quote(strings.Split(f.Probe, "\n"))
	}
	if len(f.Log) > 0 {
		w.ui.notef("The end of its log:")
		w.quote(f.Log)
	}
	switch {
	case r.BackFailure != "":
		w.ui.errorf("the patch before does not come up either: %s", r.BackFailure)
		w.ui.hintf("flotobuild site status tells which patch is active; mend what the log says, and redeploy")
	case r.Back == r.Patch:
		w.ui.printf("%s did not come up with changed values; it is back with those of before\n", safe(r.Patch))
		w.ui.hintf("flotobuild site vars set mends the values, flotobuild site vars restore takes the changes back")
	case r.Back != "":
		w.ui.printf("%s did not come up; what ran before is back: %s\n", safe(r.Patch), safe(r.Back))
	default:
		w.ui.hintf("the containers stay as they are, so that one can look; flotobuild site rollback and another redeploy go back")
	}
}

func (w *redeployWriter) quote(lines []string) {
	for _, l := range lines {
		w.ui.notef("  | %s", safe(l))
	}
}
