package planner

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/flotobuild/flotobuild/envelope"
)

// A receiver is a device with all of its envelopes.
type receiver struct {
	name      string
	envelopes []*envelopeFacts
	device    hcl.Range
}

// checkDevices judges everything that each device would get. Devices with the
// same envelopes have the same problems, which are told once.
func (r *resolver) checkDevices() hcl.Diagnostics {
	var diags hcl.Diagnostics
	done := make(map[string]bool)
	for _, d := range r.receivers() {
		var key []string
		var definitions []*envelope.Definition
		for _, f := range d.envelopes {
			key = append(key, f.lang.Address())
			definitions = append(definitions, f.definition)
		}
		if id := strings.Join(key, "\n"); !done[id] {
			done[id] = true
			for _, p := range envelope.CheckDefinitions(d.name, definitions) {
				diags = append(diags, d.diagnostic(p))
			}
		}
	}
	return diags
}

// receivers lists the devices by name. Two with one certificate are the same
// device.
func (r *resolver) receivers() []*receiver {
	var all []*receiver
	byKey := make(map[string]*receiver)
	for _, f := range r.envelopes {
		for n, d := range f.lang.Devices {
			keys := []string{"name " + d.Name}
			if sum := f.pinned.Devices[n].Digest; sum != "" {
				keys = append(keys, "certificate "+sum.String())
			}
			var have *receiver
			for _, k := range keys {
				if have == nil {
					have = byKey[k]
				}
			}
			if have == nil {
				have = &receiver{name: d.Name, device: d.Range}
				all = append(all, have)
			}
			for _, k := range keys {
				byKey[k] = have
			}
			if !slices.Contains(have.envelopes, f) {
				have.envelopes = append(have.envelopes, f)
			}
		}
	}
	return all
}

// diagnostic gives a problem its place: the blob, the envelope, or the device
// where it is about all of its envelopes.
func (d *receiver) diagnostic(p envelope.Problem) *hcl.Diagnostic {
	subject, address := d.device, ""
	if p.EnvelopeIndex >= 0 {
		e := d.envelopes[p.EnvelopeIndex].lang
		subject, address = e.Range, e.Address()
		if p.BlobIndex >= 0 {
			subject = e.Blobs[p.BlobIndex].Range
			address = fmt.Sprintf("%s.blob[%q]", address, p.Blob)
		}
	}
	out := problem(subject, p.Summary, p.Detail)
	if p.Severity == envelope.Warning {
		out.Severity = hcl.DiagWarning
	}
	if address != "" {
		return of(hcl.Diagnostics{out}, address)[0]
	}
	return out
}
