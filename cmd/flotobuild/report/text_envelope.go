package report

import "github.com/flotobuild/flotobuild/planner"

// envelope tells what becomes of an envelope.
func (t *text) envelope(e *Envelope) {
	if e.Change == planner.ChangeNone {
		t.comment(2, "%s is sealed for %s as it should be", e.Address, Count(e.Count, "device"))
		t.restored(e, 4)
		return
	}
	t.line(2, say("# "), name(e.Address), say(": sealed for %d of %s", len(e.Devices), Count(e.Count, "device")))
	t.line(2, mark(e.Change), say(" envelope "), quoted(e.Name), say(" in %s {", e.Output))
	t.line(8, say("uuid = %q", e.UUID))
	if e.Version != "" {
		t.line(8, say("version = %q", e.Version))
	}
	t.line(8, say("action = %q", e.Action))
	t.line(8, say("size = %s", e.Size))
	for n, b := range e.Blobs {
		if t.more(8, n, len(e.Blobs), mostFiles, "blob") {
			break
		}
		line := []span{mark(b.Change), say(" blob "), quoted(b.Name)}
		if b.About != "" {
			line = append(line, say(" "), painted(grey, "("+b.About+")"))
		}
		t.line(6, line...)
	}
	t.devices(e)
	t.line(4, say("}"))
}

// restored tells of outputs that the project does not have.
func (t *text) restored(e *Envelope, indent int) {
	if e.Restored > 0 {
		t.comment(indent, "the output of %s is taken from a parent's patch", Count(e.Restored, "device"))
	}
}

func (t *text) devices(e *Envelope) {
	for n, d := range e.Devices {
		if t.more(8, n, len(e.Devices), mostFiles, "device") {
			break
		}
		line := []span{mark(d.Change), say(" device "), quoted(d.Name)}
		if d.For != "" {
			line = append(line, say(" for "), name(d.For))
		}
		if d.Why != "" {
			line = append(line, painted(grey, " # "+d.Why))
		}
		t.line(6, line...)
	}
	if e.Kept > 0 {
		t.comment(8, "%s hidden", Count(e.Kept, "unchanged device"))
		t.restored(e, 8)
	}
}

// outputs tells of what else is written or removed.
func (t *text) outputs(r *Report) {
	t.entries("Images for volumes, in "+planner.VolumesDir+":", "volume", r.Volumes)
	t.entries("Outputs of envelopes that the configuration has no more:", "output", r.Strays)
}

func (t *text) entries(title, noun string, list []Entry) {
	if len(list) == 0 {
		return
	}
	t.line(0)
	t.line(2, say("# %s", title))
	for n, e := range list {
		if t.more(2, n, len(list), mostFiles, noun) {
			return
		}
		t.line(2, mark(e.Change), say(" "), name(e.Text))
	}
}

// conciseEnvelope tells an envelope in a line.
func (t *text) conciseEnvelope(e *Envelope) {
	if e.Change == planner.ChangeNone {
		t.comment(0, "%s: nothing to seal", e.Address)
		return
	}
	t.line(0, mark(e.Change), say(" "), name(e.Address), say(": %s, %d of %s to seal", Count(len(e.Blobs), "blob"), len(e.Devices), Count(e.Count, "device")))
}
