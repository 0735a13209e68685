package main

import (
	"context"
	"errors"
	"time"

	"github.com/flotobuild/flotobuild/cmd/flotobuild/report"
	"github.com/flotobuild/flotobuild/executor"
	"github.com/flotobuild/flotobuild/planner"
)

// Outcomes of apply, in the last event and in the metadata file.
const (
	outcomeComplete    = "complete"
	outcomeNoChanges   = "no_changes"
	outcomeFailed      = "failed"
	outcomeInterrupted = "interrupted"
)

// planned writes the plan's changes, and their sum.
func (w *eventWriter) planned(plan *planner.Plan) {
	if w == nil {
		return
	}
	patches, images := 0, 0
	for _, s := range plan.Sites {
		e := event{Type: "planned_site", Site: s.Name, Change: s.Change}
		for _, p := range s.Parents {
			e.Parents = append(e.Parents, p.ID)
		}
		w.write(e)
		if s.Change != planner.ChangeNone {
			patches++
		}
		for _, c := range s.Images {
			if c.Change == planner.ChangeNone {
				continue
			}
			e := event{Type: "planned_image", Site: s.Name, Image: c.Address, Name: c.Name, Change: c.Change}
			for _, r := range c.Reasons {
				e.Reasons = append(e.Reasons, eventReason(r))
			}
			w.write(e)
		}
	}
	w.plannedEnvelopes(plan)
	w.plannedOutputs(plan)
	for _, i := range plan.Images {
		if i.Action != planner.ActionReuse {
			images++
		}
	}
	w.write(event{Type: "plan_summary", Patches: &patches, Images: &images, Envelopes: counted(report.Sealings(plan)), Message: report.Partial(plan)})
}

// observe writes what the executor does.
func (w *eventWriter) observe(e executor.Event) {
	if w == nil {
		return
	}
	out := event{Type: e.Type, Image: e.Image, Site: e.Site, How: e.How, ID: e.ID, Digest: e.Digest.String(), File: e.File}
	switch e.Type {
	case executor.EventImageComplete:
		out.Seconds, out.Layers, out.Bytes = seconds(e.Took), &e.Layers, &e.Bytes
		out.Steps, out.CachedSteps = &e.Steps, &e.Cached
	case executor.EventImageFailed:
		out.Seconds, out.Message = seconds(e.Took), e.Err.Error()
		var b *executor.BuildError
		if errors.As(e.Err, &b) {
			out.Failure = &eventFailure{File: b.File, Line: b.Line, Step: b.Step, Log: b.Log}
		}
	case executor.EventImageSkipped:
		out.Message = e.Err.Error()
	case executor.EventEnvelope:
		out = envelopeEvent(out, e)
	case executor.EventLayer, executor.EventPatch, executor.EventVolume:
		out.Bytes, out.Delta = &e.Bytes, e.Delta
	}
	w.write(out)
}

func seconds(d time.Duration) *float64 {
	s := d.Round(time.Millisecond).Seconds()
	return &s
}

// finish writes the last line: how apply ended.
func (w *eventWriter) finish(ctx context.Context, result *executor.Result, err error) {
	if w == nil {
		return
	}
	if err != nil {
		e := event{Type: "error", Message: message(err)}
		var h *hintError
		if errors.As(err, &h) {
			e.Hint = h.hint
		}
		w.write(e)
	}
	patches, images := written(result), 0
	if result != nil {
		images = len(result.Images)
	}
	w.write(event{Type: "summary", Outcome: outcome(ctx, worked(result), err), Patches: &patches, Images: &images, Envelopes: counted(sealed(result))})
}

// written counts the patches of a result, which may be nil.
func written(result *executor.Result) int {
	n := 0
	if result != nil {
		for _, s := range result.Sites {
			if s.File != "" {
				n++
			}
		}
	}
	return n
}

// outcome tells how apply ended; made counts what it did.
func outcome(ctx context.Context, made int, err error) string {
	switch {
	case errors.Is(context.Cause(ctx), errInterrupted) && err != nil:
		return outcomeInterrupted
	case err != nil:
		return outcomeFailed
	case made == 0:
		return outcomeNoChanges
	}
	return outcomeComplete
}

// warnf prints a warning, and writes it as an event.
func (a *app) warnf(format string, args ...any) {
	a.ui.warnf(format, args...)
	a.events.warning(format, args...)
}
