package planner

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/envelope"
	"github.com/flotobuild/flotobuild/lang"
)

// A receiver is a device with all of its envelopes.
type receiver struct {
	name      string
	envelopes []*envelopeFacts
	device    hcl.Range
	same      *receiver // has everything of this one, which has turned out to be the same device
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
// device, and so are two that are the same as a third.
func (r *resolver) receivers() []*receiver {
	var all []*receiver
	byKey := make(map[string]*receiver)
	for _, f := range r.envelopes {
		for n, d := range f.lang.Devices {
			one := &receiver{name: d.Name, envelopes: []*envelopeFacts{f}, device: d.Range}
			all = append(all, one)
			for _, k := range deviceKeys(d, f.pinned.Devices[n].Digest) {
				if have := byKey[k]; have != nil {
					one = have.join(one)
				}
				byKey[k] = one
			}
		}
	}
	return slices.DeleteFunc(all, func(d *receiver) bool { return d.same != nil })
}

// deviceKeys gives what tells a device: its name, and its certificate. Where
// nothing is encrypted that is not read, and its file stands for it.
func deviceKeys(d *lang.Device, certificate digest.Digest) []string {
	keys := []string{"name " + d.Name}
	if d.Certificate != nil {
		keys = append(keys, "file "+path.Clean(d.Certificate.Name))
	}
	if certificate != "" {
		keys = append(keys, "certificate "+certificate.String())
	}
	return keys
}

// join gives the device that the two are, with all envelopes of both.
func (d *receiver) join(other *receiver) *receiver {
	for d.same != nil {
		d = d.same
	}
	if d == other {
		return d
	}
	for _, f := range other.envelopes {
		if !slices.Contains(d.envelopes, f) {
			d.envelopes = append(d.envelopes, f)
		}
	}
	other.same = d
	return d
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
