package main

import (
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

// metadataEnvelope is an output that apply sealed.
type metadataEnvelope struct {
	Envelope string `json:"envelope"`
	Device   string `json:"device"`
	Change   string `json:"change"`
	Folder   string `json:"folder"` // relative to the project
	Size     int64  `json:"size"`   // bytes of its files
}

func envelopeMetadata(done *applied) []metadataEnvelope {
	var out []metadataEnvelope
	if done.result == nil {
		return nil
	}
	for _, e := range done.result.Envelopes {
		out = append(out, metadataEnvelope{e.Address, e.Device, e.Change, done.project.relative(e.Dir), e.Size})
	}
	return out
}

// sealed counts the outputs that a result has sealed.
func sealed(result *executor.Result) int {
	if result == nil {
		return 0
	}
	return len(result.Envelopes)
}

// counted leaves out a zero.
func counted(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}
