package deploy

import (
	"cmp"
	"maps"
	"slices"

	"github.com/flotobuild/flotobuild/site/docker"
)

// An Action is what happens to the containers of a service.
type Action string

// The actions.
const (
	Keep     Action = "keep"     // it runs as it should
	Create   Action = "create"   // there was none
	Recreate Action = "recreate" // it runs with another image or configuration
	Start    Action = "start"    // it is the right one, and does not run
	Remove   Action = "remove"   // the patch has none
)

// A Step is what happens to the containers of one service.
type Step struct {
	Container string `json:"container"` // name in the manifest
	Action    Action `json:"action"`
	// Reason is for people: "image", "configuration", …; empty for Keep.
	Reason string `json:"reason,omitempty"`

	containers []docker.Container // what there was
	well       bool               // it ran as it should
	force      bool               // Compose sees no reason to make it anew
}

// changes says that a step touches containers.
func (s *Step) changes() bool { return s.Action != Keep }

// compare says what it takes to turn the containers of a host's project into
// those that are wanted, sorted by name. ours are those with the labels of this
// site and host, whatever their project.
func compare(want *desired, host string, all, ours []docker.Container, changedOnly bool) []Step {
	have := make(map[string][]docker.Container)
	for _, c := range all {
		if on, labelled := c.Labels[labelHost]; !labelled || on == host {
			have[c.Service()] = append(have[c.Service()], c)
		}
	}
	var steps []Step
	for _, name := range slices.Sorted(maps.Keys(want.services)) {
		steps = append(steps, step(want.services[name], have[name], want.ends(name), changedOnly))
	}
	steps = append(steps, orphans(want, ours)...)
	slices.SortStableFunc(steps, func(a, b Step) int { return cmp.Compare(a.Container, b.Container) })
	share(want, steps)
	return steps
}

// step compares one service. ends says that others wait for it to end: without
// that, one with a health test is no job, and was stopped.
func step(s *service, have []docker.Container, ends, changedOnly bool) Step {
	out := Step{Container: s.name, Action: Keep, containers: have}
	var good, well int
	image := false
	for _, c := range have {
		if c.Labels[labelService] != s.sum {
			image = image || c.Image != s.image
			continue
		}
		good++
		if c.State == docker.Running || c.Done() && (ends || c.Health == "") {
			well++
		}
		out.well = out.well || c.Health != docker.Unhealthy
	}
	switch {
	case len(have) == 0 && s.count == 0:
	case len(have) == 0:
		out.Action, out.Reason = Create, "new"
	case good == 0 && image:
		out.Action, out.Reason = Recreate, "image"
	case good == 0:
		out.Action, out.Reason = Recreate, "configuration"
	case good < len(have):
		out.Action, out.Reason = Start, "a redeploy was interrupted"
	case good != s.count:
		out.Action, out.Reason = Start, "number of containers"
	case well < good && !changedOnly:
		out.Action, out.Reason = Start, "does not run"
	}
	out.well = out.well && well == good && out.Action == Keep
	return out
}

// orphans removes what the site once had on the host: services that the patch
// does not have, and those of a project with another name.
func orphans(want *desired, ours []docker.Container) []Step {
	of := make(map[string][]docker.Container)
	for _, c := range ours {
		if want.services[c.Service()] == nil || c.Labels[docker.LabelProject] != want.project {
			of[c.Service()] = append(of[c.Service()], c)
		}
	}
	var out []Step
	for _, name := range slices.Sorted(maps.Keys(of)) {
		out = append(out, Step{Container: name, Action: Remove, Reason: "not in the patch", containers: of[name]})
	}
	return out
}

// share makes containers anew that use the network, processes or volumes of
// others that are made anew.
func share(want *desired, steps []Step) {
	made := make(map[string]bool)
	for _, s := range steps {
		made[s.Container] = s.Action == Create || s.Action == Recreate
	}
	for again := true; again; {
		again = false
		for i := range steps {
			s := &steps[i]
			if s.Action != Keep && s.Action != Start {
				continue
			}
			for _, other := range want.services[s.Container].shares {
				if made[other] && len(s.containers) > 0 {
					s.Action, s.Reason, s.force, s.well = Recreate, "shares with "+other, true, false
					made[s.Container], again = true, true
				}
			}
		}
	}
}
