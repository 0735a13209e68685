package main

import (
	"strings"

	"github.com/flotobuild/flotobuild/executor"
	"github.com/flotobuild/flotobuild/planner"
)

// envelopes tells what apply sealed, by envelope.
func (s *summary) envelopes() {
	type sum struct {
		devices int
		bytes   int64
		dir     string
	}
	sums := make(map[string]*sum)
	var order []string
	for _, e := range s.result.Envelopes {
		have := sums[e.Envelope]
		if have == nil {
			have = &sum{dir: e.Dir}
			sums[e.Envelope] = have
			order = append(order, e.Envelope)
		}
		have.devices++
		have.bytes += e.Size
	}
	for _, name := range order {
		n := sums[name]
		where := s.relative(n.dir)
		if n.devices > 1 {
			where = planner.EnvelopesDir + "/" + name + "/…"
		}
		s.line("envelope %q: sealed for %s, %s", name, count(n.devices, "device"), byteSize(n.bytes))
		s.line("  %s\n", where)
	}
}

// envelopeEvent gives an event of an envelope.
func envelopeEvent(out event, e executor.Event) event {
	out.Envelope, out.Device, out.Bytes = e.Envelope, e.Device, &e.Bytes
	return out
}

// plannedEnvelopes writes which devices get an envelope anew, and why.
func (w *eventWriter) plannedEnvelopes(plan *planner.Plan) {
	for _, e := range plan.Envelopes {
		for _, c := range e.Changes {
			if c.Change == planner.ChangeNone {
				continue
			}
			out := event{Type: "planned_envelope", Envelope: e.Address, Device: c.Device, Change: c.Change}
			for _, reason := range c.Reasons {
				out.Reasons = append(out.Reasons, eventReason(reason))
			}
			w.write(out)
		}
	}
}

// plannedOutputs writes which volumes are written, and what is removed.
func (w *eventWriter) plannedOutputs(plan *planner.Plan) {
	for _, v := range plan.Volumes {
		if v.Change == planner.ChangeNone {
			continue
		}
		out := event{Type: "planned_volume", ID: v.ID, Image: v.Image, Change: v.Change}
		for _, reason := range v.Reasons {
			out.Reasons = append(out.Reasons, eventReason(reason))
		}
		w.write(out)
	}
	for _, s := range plan.Strays {
		if !s.Kept {
			w.write(event{Type: "planned_removal", File: s.Path})
		}
	}
}

// outputs tells which volumes apply wrote, and what it removed.
func (s *summary) outputs() {
	for _, v := range s.result.Volumes {
		s.line("volume %s: %s, %s", v.ID, v.Image, byteSize(v.Size))
		s.line("  %s\n", s.relative(v.File))
	}
	if n := len(s.result.Removed); n > 0 {
		s.line("removed: %s that the configuration has no more\n", count(n, "output"))
	}
}

// done says what apply did besides patches; empty where that is nothing.
func (s *summary) done() string {
	var parts []string
	if n := len(s.result.Envelopes); n > 0 {
		parts = append(parts, count(n, "envelope")+" sealed")
	}
	if n := len(s.result.Volumes); n > 0 {
		parts = append(parts, count(n, "volume")+" filled")
	}
	if n := len(s.result.Removed); n > 0 {
		parts = append(parts, count(n, "output")+" removed")
	}
	return strings.Join(parts, ", ")
}

// metadataEnvelope is an output that apply sealed.
type metadataEnvelope struct {
	Envelope string `json:"envelope"`
	Device   string `json:"device"`
	Change   string `json:"change"`
	Folder   string `json:"folder"` // relative to the project
	Size     int64  `json:"size"`   // bytes of its files
}

// metadataVolume is a volume that apply wrote.
type metadataVolume struct {
	ID    string `json:"imageId"`
	Image string `json:"image"` // address
	File  string `json:"file"`  // relative to the project
	Size  int64  `json:"size"`
}

func (m *applyMetadata) addEnvelopes(done *applied) {
	if done.result == nil {
		return
	}
	for _, e := range done.result.Envelopes {
		m.Envelopes = append(m.Envelopes, metadataEnvelope{e.Address, e.Device, e.Change, done.project.relative(e.Dir), e.Size})
	}
	for _, v := range done.result.Volumes {
		m.Volumes = append(m.Volumes, metadataVolume{v.ID, v.Image, done.project.relative(v.File), v.Size})
	}
	for _, path := range done.result.Removed {
		m.Removed = append(m.Removed, done.project.relative(path))
	}
}

// sealed counts the outputs that a result has sealed.
func sealed(result *executor.Result) int {
	if result == nil {
		return 0
	}
	return len(result.Envelopes)
}

// worked counts all that a result has done.
func worked(result *executor.Result) int {
	if result == nil {
		return 0
	}
	return written(result) + sealed(result) + len(result.Volumes) + len(result.Removed)
}

// counted leaves out a zero.
func counted(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}
