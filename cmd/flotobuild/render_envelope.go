package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flotobuild/flotobuild/executor"
	"github.com/flotobuild/flotobuild/planner"
)

// mostDevices is how many devices of an envelope are listed without -detail.
const mostDevices = 10

// envelopes renders what becomes of the envelopes.
func (r *planRenderer) envelopes() {
	for _, e := range r.plan.Envelopes {
		r.line("")
		r.envelope(e)
	}
}

func (r *planRenderer) envelope(e *planner.EnvelopePlan) {
	if !e.Sealed() {
		r.grey("  # %s is sealed for %s as it should be", e.Address, count(len(e.Devices), "device"))
		return
	}
	change := planner.ChangeUpdate
	if e.Count(planner.ChangeCreate) == len(e.Devices) {
		change = planner.ChangeCreate
	}
	r.line("  # %s: sealed for %d of %s", e.Address, len(e.Devices)-e.Count(planner.ChangeNone), count(len(e.Devices), "device"))
	r.line("  %s envelope %q in %s {", r.symbol(change), e.Name, planner.EnvelopesDir)
	r.line("        uuid = %q", e.UUID)
	if e.Version != "" {
		r.line("        version = %q", e.Version)
	}
	r.line("        action = %q", e.Action)
	r.blobs(e)
	r.devices(e)
	r.line("    }")
}

// blobs lists what the envelope holds: never content, and no digest of it.
func (r *planRenderer) blobs(e *planner.EnvelopePlan) {
	changed := blobChanges(e)
	for _, b := range e.Blobs {
		var notes []string
		if b.Size > 0 || b.Volume == nil {
			notes = append(notes, byteSize(b.Size))
		}
		if b.Volume != nil {
			notes = append(notes, "volume "+b.Volume.ID)
		}
		if len(b.Encrypt) > 0 {
			notes = append(notes, "encrypted: "+strings.Join(b.Encrypt, ", "))
		}
		if b.Source != "" {
			notes = append(notes, "from "+b.Source)
		}
		r.line("      %s blob %q %s", r.symbol(changed[b.Name]), b.Name, r.paint(grey, "("+safe(strings.Join(notes, "; "))+")"))
		delete(changed, b.Name)
	}
	for _, name := range sortedKeys(changed) {
		r.line("      %s blob %q", r.symbol(planner.ChangeRemove), name)
	}
}

// blobChanges tells which blobs some device has not as they should be.
func blobChanges(e *planner.EnvelopePlan) map[string]string {
	out := make(map[string]string)
	for _, c := range e.Changes {
		for _, reason := range c.Reasons {
			name, ok := strings.CutPrefix(reason.Input, planner.InputBlob)
			switch {
			case !ok:
			case reason.Old == "":
				out[name] = planner.ChangeCreate
			default:
				out[name] = planner.ChangeUpdate
			}
		}
	}
	if e.Count(planner.ChangeCreate) == len(e.Changes) {
		for _, b := range e.Blobs {
			out[b.Name] = planner.ChangeCreate
		}
	}
	return out
}

func sortedKeys(m map[string]string) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func (r *planRenderer) devices(e *planner.EnvelopePlan) {
	shown := 0
	left := len(e.Changes) - e.Count(planner.ChangeNone)
	for _, c := range e.Changes {
		if c.Change == planner.ChangeNone {
			continue
		}
		if shown == mostDevices && left > mostDevices+1 && !r.detail {
			r.grey("        # %s hidden, -detail lists them", count(left-shown, "more device"))
			break
		}
		shown++
		r.line("      %s device %q%s", r.symbol(c.Change), c.Device, r.paint(grey, why(c.Reasons)))
	}
	if n := e.Count(planner.ChangeNone); n > 0 {
		r.grey("        # %s hidden", count(n, "unchanged device"))
	}
}

// why says in words why an output is sealed again.
func why(reasons []planner.Reason) string {
	var words []string
	for _, reason := range reasons {
		words = append(words, reasonWords(reason))
	}
	if len(words) == 0 {
		return ""
	}
	return " # " + safe(strings.Join(words, ", "))
}

func reasonWords(reason planner.Reason) string {
	if name, ok := strings.CutPrefix(reason.Input, planner.InputBlob); ok {
		switch "" {
		case reason.Old:
			return fmt.Sprintf("new blob %q", name)
		case reason.New:
			return fmt.Sprintf("blob %q is gone", name)
		}
		return fmt.Sprintf("blob %q changed", name)
	}
	switch reason.Input {
	case planner.InputCertificate, planner.InputController:
		return reason.Input + " changed"
	case planner.InputDigestKey:
		return "the digest key is not that of last time: what was sealed cannot be compared"
	case planner.InputOutput:
		return "its files are missing or were changed"
	}
	return fmt.Sprintf("%s %q → %q", reason.Input, reason.Old, reason.New)
}

// siteEnvelopes lists the envelopes that change in a site's patch.
func (r *planRenderer) siteEnvelopes(s *planner.SitePlan) {
	if len(s.EnvelopeFiles) == 0 {
		return
	}
	r.line("      %s envelopes: %s", r.symbol(s.Change), confCounts(s.EnvelopeFiles))
	r.files(s.EnvelopeFiles, false)
}

// sealings counts the devices that get an envelope anew.
func sealings(plan *planner.Plan) int {
	n := 0
	for _, e := range plan.Envelopes {
		n += len(e.Changes) - e.Count(planner.ChangeNone)
	}
	return n
}

// footerEnvelopes ends the sentence of the footer.
func (r *planRenderer) footerEnvelopes() string {
	if n := sealings(r.plan); n > 0 {
		return fmt.Sprintf(" %s to seal.", count(n, "envelope"))
	}
	return ""
}

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

// envelopesUse tells whether a symbol stands among the envelopes.
func (r *planRenderer) envelopesUse(change string) bool {
	for _, e := range r.plan.Envelopes {
		if change != planner.ChangeNone && e.Count(change) > 0 {
			return true
		}
		for _, c := range blobChanges(e) {
			if c == change {
				return true
			}
		}
	}
	return false
}

// counted leaves out a zero.
func counted(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}
