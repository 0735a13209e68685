package report

import (
	"fmt"

	"github.com/flotobuild/flotobuild/planner"
)

// envelopeSituations are plans with envelopes.
var envelopeSituations = []situation{
	{name: "envelopes_first", have: noParent, change: func(w *world) { w.sites, w.images = nil, nil }, modify: func(p *planner.Plan) {
		p.Envelopes = []*planner.EnvelopePlan{tuning(2)}
	}},
	{name: "envelopes_some", modify: func(p *planner.Plan) {
		e := tuning(4)
		for n := range e.Changes {
			e.Changes[n].Change = planner.ChangeNone
		}
		resealed(e, 1, planner.Reason{Input: planner.InputCertificate, Old: "sha256:1", New: "sha256:2"})
		resealed(e, 2, planner.Reason{Input: "version", Old: "2.0", New: "2.1"},
			planner.Reason{Input: planner.InputBlob + "limits.yaml", Old: "hmac-sha256:1", New: "hmac-sha256:2"},
			planner.Reason{Input: planner.InputBlob + "old.csv", Old: "hmac-sha256:3"})
		e.Changes[3].Change = planner.ChangeCreate
		kept := tuning(3)
		kept.Address, kept.Name = "envelope.kept", "kept"
		for n := range kept.Changes {
			kept.Changes[n].Change = planner.ChangeNone
		}
		e.Changes[0].From = "2026-11-20T10-00-00.000Z-plant-2.0.0.hamburg"
		kept.Changes[1].From = e.Changes[0].From
		p.Envelopes = []*planner.EnvelopePlan{kept, e}
		p.Volumes = []*planner.VolumePlan{
			{ID: "0349dbb1-2e82-4eb6-a736-a4d1a0bd7db0", Image: address("panel"), Change: planner.ChangeUpdate, Reasons: []planner.Reason{{Input: planner.InputImage, Old: "sha256:1", New: "sha256:2"}}},
			{ID: "1349dbb1-2e82-4eb6-a736-a4d1a0bd7db0", Image: address("base"), Change: planner.ChangeNone},
		}
		p.Images[2].Action, p.Images[2].Reasons = planner.ActionMake, []planner.Reason{{Input: planner.InputVolume, New: p.Volumes[0].ID}}
		p.Strays = []planner.Stray{{Path: "dist/envelopes/old/press-07"}, {Path: "dist/envelopes/old/press-08", Kept: true}}
		s := p.Sites[0]
		s.Change = planner.ChangeUpdate
		s.EnvelopeFiles = []planner.FileChange{{Path: "envelopes/tuning/press-01", Change: planner.ChangeUpdate}}
	}},
	{name: "envelopes_many_devices", modify: func(p *planner.Plan) {
		e := tuning(210)
		for n := range e.Changes {
			resealed(e, n, planner.Reason{Input: planner.InputOutput}, planner.Reason{Input: planner.InputDigestKey})
		}
		p.Envelopes = []*planner.EnvelopePlan{e}
	}},
	{name: "envelopes_no_change", modify: func(p *planner.Plan) {
		e := tuning(2)
		for n := range e.Changes {
			e.Changes[n].Change = planner.ChangeNone
		}
		p.Envelopes = []*planner.EnvelopePlan{e}
	}},
}

func resealed(e *planner.EnvelopePlan, n int, reasons ...planner.Reason) {
	e.Changes[n].Change, e.Changes[n].Reasons = planner.ChangeUpdate, reasons
}

// tuning is an envelope that no device has yet.
func tuning(devices int) *planner.EnvelopePlan {
	e := &planner.EnvelopePlan{Envelope: planner.Envelope{
		Address: "envelope.tuning", Size: 12_345, Name: "tuning", UUID: "be2a3138-0560-5969-986c-85996587b85a", Version: "2.1", Action: planner.EnvelopeActivate,
		Apps: []string{"bc29c80d-e237-429c-a143-f65e7613f635"}, Key: "0123456789abcdef",
		Blobs: []planner.EnvelopeBlob{
			{Name: "limits.yaml", Size: 8, Digest: "hmac-sha256:2", Encrypt: []string{"content", "metadata"}},
			{Name: "table <b>.csv", Size: 7_000, Digest: "hmac-sha256:4", Source: "tables/table.csv"},
			{Name: "model.bin", Size: 2_000_000_000, Digest: "hmac-sha256:5", Source: "model.bin", Volume: &planner.EnvelopeVolume{ID: "0349dbb1-2e82-4eb6-a736-a4d1a0bd7db0"}},
		},
		Controller: &planner.EnvelopeController{Key: "certs/controller.key", Certificate: "certs/controller.pem", Digest: "sha256:6"},
	}}
	for n := range devices {
		name := fmt.Sprintf("press-%02d", n)
		e.Devices = append(e.Devices, planner.EnvelopeDevice{Name: name, Certificate: "certs/" + name + ".pem", Digest: "sha256:7"})
		e.Changes = append(e.Changes, planner.DeviceChange{Device: name, Change: planner.ChangeCreate})
	}
	return e
}
