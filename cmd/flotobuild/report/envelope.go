package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/flotobuild/flotobuild/planner"
)

// An Envelope is what becomes of a patch envelope on its devices. It tells
// nothing of what blobs hold.
type Envelope struct {
	Address, Name string
	Change        string // none where every device keeps its output
	Output        string // folder
	Count         int    // of devices
	UUID, Version string
	Action        string
	Blobs         []Blob
	Devices       []Receiver // that get it anew
	Kept          int        // devices that keep what they have
	Restored      int        // those of them that take it from a parent's patch
	Size          string     // in a device's list of envelopes
}

// A Blob is a file for applications, with what may be said of it.
type Blob struct{ Change, Name, About string }

// A Receiver is a device that gets an envelope anew.
type Receiver struct {
	Change, Name string
	For          string // certificate that it is encrypted for; empty where nothing is
	Why          string // empty where it is new
}

// Sealings counts the devices that get an envelope anew; those with several
// envelopes count for each.
func Sealings(p *planner.Plan) int {
	n := 0
	for _, e := range p.Envelopes {
		n += len(e.Changes) - e.Count(planner.ChangeNone)
	}
	return n
}

// what names what apply makes.
func (r *Report) what() string {
	patches := slices.ContainsFunc(r.Sites, func(s *Site) bool { return s.Change != planner.ChangeNone })
	envelopes := len(r.Volumes)+len(r.Strays) > 0 || slices.ContainsFunc(r.Envelopes, func(e *Envelope) bool { return e.Change != planner.ChangeNone })
	switch {
	case !envelopes:
		return "patches"
	case !patches:
		return "envelopes"
	}
	return "patches and envelopes"
}

func envelopeOf(e *planner.EnvelopePlan) *Envelope {
	out := &Envelope{
		Address: plain(e.Address), Name: e.Name, Change: planner.ChangeNone, Output: planner.EnvelopesDir,
		Count: len(e.Devices), Kept: e.Count(planner.ChangeNone),
	}
	for _, c := range e.Changes {
		if c.From != "" {
			out.Restored++
		}
	}
	if !e.Sealed() {
		return out
	}
	out.Size = fmt.Sprintf("%s of %s that a device reads", Bytes(int64(e.Size)), Bytes(planner.EnvelopeLimit))
	out.Change = planner.ChangeUpdate
	if e.Count(planner.ChangeCreate) == len(e.Devices) {
		out.Change = planner.ChangeCreate
	}
	out.UUID, out.Version, out.Action = e.UUID, e.Version, e.Action
	out.Blobs = blobsOf(e)
	for n, c := range e.Changes {
		if c.Change != planner.ChangeNone {
			out.Devices = append(out.Devices, Receiver{c.Change, c.Device, plain(e.Devices[n].Certificate), plain(whySealed(c.Reasons))})
		}
	}
	return out
}

// blobsOf lists what the envelope holds, and what it holds no more.
func blobsOf(e *planner.EnvelopePlan) []Blob {
	changed := blobChanges(e)
	var out []Blob
	for _, b := range e.Blobs {
		change, ok := changed[b.Name]
		if !ok {
			change = planner.ChangeNone
		}
		out = append(out, Blob{change, b.Name, plain(aboutBlob(&b))})
		delete(changed, b.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(changed)) {
		out = append(out, Blob{Change: planner.ChangeRemove, Name: name})
	}
	return out
}

func aboutBlob(b *planner.EnvelopeBlob) string {
	var notes []string
	if b.Size > 0 || b.Volume == nil {
		notes = append(notes, Bytes(b.Size))
	}
	if b.Volume != nil {
		notes = append(notes, "volume "+b.Volume.ID)
	}
	if len(b.Encrypt) > 0 {
		notes = append(notes, "encrypted: "+strings.Join(b.Encrypt, ", "))
	}
	if b.Sensitive {
		notes = append(notes, "sensitive, and not encrypted")
	}
	if b.Source != "" {
		notes = append(notes, "from "+b.Source)
	}
	if b.Image != "" {
		notes = append(notes, "image "+b.Image)
	}
	return strings.Join(notes, "; ")
}

// blobChanges tells which blobs some device has not as they should be.
func blobChanges(e *planner.EnvelopePlan) map[string]string {
	out := make(map[string]string)
	for _, c := range e.Changes {
		for _, reason := range c.Reasons {
			if name, ok := strings.CutPrefix(reason.Input, planner.InputBlob); !ok {
				continue
			} else if reason.Old == "" {
				out[name] = planner.ChangeCreate
			} else {
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

// whySealed says in words why an output is sealed again.
func whySealed(reasons []planner.Reason) string {
	var words []string
	for _, r := range reasons {
		words = append(words, sealReason(r))
	}
	return strings.Join(words, ", ")
}

func sealReason(r planner.Reason) string {
	if name, ok := strings.CutPrefix(r.Input, planner.InputBlob); ok {
		switch "" {
		case r.Old:
			return fmt.Sprintf("new blob %q", name)
		case r.New:
			return fmt.Sprintf("blob %q is gone", name)
		}
		return fmt.Sprintf("blob %q changed", name)
	}
	switch r.Input {
	case planner.InputCertificate, planner.InputController:
		return r.Input + " changed"
	case planner.InputDigestKey:
		return "the digest key is not that of last time: what was sealed cannot be compared"
	case planner.InputOutput:
		return "its files are missing or were changed"
	}
	return fmt.Sprintf("%s %q → %q", r.Input, r.Old, r.New)
}
