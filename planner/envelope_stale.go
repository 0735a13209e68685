package planner

import (
	"fmt"
	"slices"
)

// staleEnvelopes lists what envelopes were planned from and is no longer so.
func staleEnvelopes(saved, now *Plan) []string {
	old := make(map[string]*EnvelopePlan)
	for _, e := range saved.Envelopes {
		old[e.Address] = e
	}
	var out []string
	for _, e := range now.Envelopes {
		o := old[e.Address]
		delete(old, e.Address)
		switch {
		case o == nil:
			out = append(out, fmt.Sprintf("%s, which is new", e.Address))
		case o.Key != e.Key:
			out = append(out, fmt.Sprintf("the project's digest key, so that %s cannot be compared", e.Address))
		case !equal(o.Envelope, e.Envelope):
			out = append(out, fmt.Sprintf("%s: %s", e.Address, changedParts(&o.Envelope, &e.Envelope)))
		case !equal(o.Changes, e.Changes):
			out = append(out, fmt.Sprintf("what was sealed of %s", e.Address))
		}
	}
	for _, e := range saved.Envelopes {
		if old[e.Address] != nil {
			out = append(out, fmt.Sprintf("%s, which is gone", e.Address))
		}
	}
	if !equal(saved.Volumes, now.Volumes) {
		out = append(out, "the volumes that hold images")
	}
	if !equal(saved.Strays, now.Strays) {
		out = append(out, "outputs of envelopes that the configuration has no more")
	}
	return out
}

// changedParts names the blobs and devices in which two envelopes differ, not
// too many, or else says that its settings do.
func changedParts(saved, now *Envelope) string {
	var names []string
	names = appendChanged(names, "blob", saved.Blobs, now.Blobs, func(b EnvelopeBlob) string { return b.Name })
	names = appendChanged(names, "device", saved.Devices, now.Devices, func(d EnvelopeDevice) string { return d.Name })
	if !equal(saved.Controller, now.Controller) {
		names = append(names, "controller")
	}
	if len(names) == 0 {
		return "settings"
	}
	return shortList(names)
}

func appendChanged[T any](out []string, kind string, saved, now []T, name func(T) string) []string {
	find := func(list []T, n string) *T {
		if i := slices.IndexFunc(list, func(t T) bool { return name(t) == n }); i >= 0 {
			return &list[i]
		}
		return nil
	}
	for _, t := range now {
		if o := find(saved, name(t)); o == nil || !equal(*o, t) {
			out = append(out, fmt.Sprintf("%s %q", kind, name(t)))
		}
	}
	for _, t := range saved {
		if find(now, name(t)) == nil {
			out = append(out, fmt.Sprintf("%s %q", kind, name(t)))
		}
	}
	return out
}
