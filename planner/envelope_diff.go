package planner

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
)

// diffEnvelope decides for each device whether it keeps its output.
func diffEnvelope(e *Envelope) *EnvelopePlan {
	p := &EnvelopePlan{Envelope: *e}
	p.Devices = slices.Clone(e.Devices)
	for n := range p.Devices {
		d := &p.Devices[n]
		p.Changes = append(p.Changes, diffDevice(e, d))
		d.last, d.intact, d.from = nil, false, ""
	}
	return p
}

func diffDevice(e *Envelope, d *EnvelopeDevice) DeviceChange {
	c := DeviceChange{Device: d.Name, Change: ChangeUpdate}
	if d.last == nil {
		c.Change = ChangeCreate
		return c
	}
	if c.Reasons = sortReasons(sealedReasons(e, d)); len(c.Reasons) == 0 {
		c.Change, c.Reasons, c.Files, c.From = ChangeNone, nil, d.last.Files, d.from
	}
	return c
}

// sealedReasons lists in what an output differs from what it should be.
func sealedReasons(e *Envelope, d *EnvelopeDevice) []Reason {
	last := d.last
	var out []Reason
	for _, a := range []Reason{
		{"name", last.Name, e.Name},
		{"uuid", last.UUID, e.UUID},
		{"version", last.Version, e.Version},
		{"action", last.Action, e.Action},
		{"allowed_apps", strings.Join(last.Apps, ", "), strings.Join(e.Apps, ", ")},
		{"sensitive", sensitivity(last.Sensitive), sensitivity(e.Exposed())},
		{InputCertificate, last.Device.String(), d.Digest.String()},
		{InputController, last.Controller.String(), e.controllerDigest().String()},
	} {
		if a.Old != a.New {
			out = append(out, a)
		}
	}
	if !d.intact {
		out = append(out, Reason{Input: InputOutput})
	}
	if last.Key != e.Key {
		return append(out, Reason{Input: InputDigestKey})
	}
	gone := maps.Clone(last.Blobs)
	for _, b := range e.Blobs {
		if old := last.Blobs[b.Name]; old != b.Digest {
			out = append(out, Reason{InputBlob + b.Name, old, b.Digest})
		}
		delete(gone, b.Name)
	}
	for name, old := range gone {
		out = append(out, Reason{Input: InputBlob + name, Old: old})
	}
	return out
}

func sensitivity(exposed bool) string {
	if exposed {
		return "in the clear"
	}
	return "no"
}

func (e *Envelope) controllerDigest() digest.Digest {
	if e.Controller == nil {
		return ""
	}
	return e.Controller.Digest
}

// siteEnvelopes compares the envelopes that travel with those of the
// parents: the folder of each device. What any parent lacks is a change.
func (d *differ) siteEnvelopes(parents []*patch.Description, s *Site) []FileChange {
	changes := make(map[string]FileChange)
	if len(parents) == 0 {
		parents = []*patch.Description{nil}
	}
	for _, p := range parents {
		old := oldEnvelopes(p)
		for _, address := range s.Envelopes {
			e := d.envelopes[address]
			if e == nil {
				continue
			}
			for _, c := range e.Changes {
				folder := patch.EnvelopesDir + path.Join(e.Name, c.Device)
				if change := folderChange(old[folder], c); change != ChangeNone {
					changes[folder] = FileChange{Path: folder, Change: change, Size: sizeOf(c.Files)}
				}
				delete(old, folder)
			}
		}
		for folder, files := range old {
			changes[folder] = FileChange{Path: folder, Change: ChangeRemove, Size: contentSize(files)}
		}
	}
	if len(changes) == 0 {
		return nil
	}
	return slices.SortedFunc(maps.Values(changes), func(a, b FileChange) int { return cmp.Compare(a.Path, b.Path) })
}

func folderChange(old map[string]patch.Content, c DeviceChange) string {
	switch {
	case len(old) == 0:
		return ChangeCreate
	case c.Change != ChangeNone || len(c.Files) != len(old):
		return ChangeUpdate
	}
	for _, f := range c.Files {
		if have, ok := old[f.Path]; !ok || have.Size != f.Size || have.SHA256 != f.Digest.Encoded() {
			return ChangeUpdate
		}
	}
	return ChangeNone
}

// oldEnvelopes gives the files of a parent's envelopes, by folder and by name.
func oldEnvelopes(parent *patch.Description) map[string]map[string]patch.Content {
	out := make(map[string]map[string]patch.Content)
	if parent == nil {
		return out
	}
	for _, c := range parent.Flotobuild.Contents {
		if !strings.HasPrefix(c.Path, patch.EnvelopesDir) {
			continue
		}
		folder, name := path.Split(c.Path)
		if name == SealedFile {
			continue
		}
		folder = path.Clean(folder)
		if out[folder] == nil {
			out[folder] = make(map[string]patch.Content)
		}
		out[folder][name] = c
	}
	return out
}

func sizeOf(files []File) int64 {
	var n int64
	for _, f := range files {
		n += f.Size
	}
	return n
}

func contentSize(files map[string]patch.Content) int64 {
	var n int64
	for _, c := range files {
		n += c.Size
	}
	return n
}
