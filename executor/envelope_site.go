package executor

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

// An EnvelopeResult describes an output that was sealed.
type EnvelopeResult struct {
	Address, Envelope, Device string
	Change                    string // create or update
	Dir                       string
	Size                      int64 // bytes of its files
}

// A travelling is a file of an envelope that travels in a patch.
type travelling struct {
	sealed *sealing // nil for an output that keeps its bytes
	name   string   // of the file
	path   string   // on this machine, of an output that keeps its bytes
}

func (t travelling) open() (io.ReadCloser, error) {
	if t.sealed == nil {
		return os.Open(t.path)
	}
	b, err := t.sealed.file(t.name)
	return io.NopCloser(bytes.NewReader(b)), err
}

// envelopeContents lists the envelopes of a site as entries of its patch.
func (r *run) envelopeContents(d *draft) ([]patch.Content, error) {
	d.envelopes = make(map[string]travelling)
	var out []patch.Content
	for _, address := range d.site.Envelopes {
		e := r.plannedEnvelope(address)
		if e == nil {
			return nil, fmt.Errorf("the plan needs %s and does not have it", address)
		}
		for _, c := range e.Changes {
			folder := planner.EnvelopeFolder(e.Name, c.Device)
			s, files := r.sealed[folder], c.Files
			if s != nil {
				files = s.files
			}
			for _, f := range files {
				entry := patch.EnvelopesDir + path.Join(e.Name, c.Device, f.Path)
				d.envelopes[entry] = travelling{sealed: s, name: f.Path, path: filepath.Join(r.path(folder), f.Path)}
				out = append(out, patch.Content{Path: entry, Size: f.Size, SHA256: f.Digest.Encoded(), Mode: patch.ModeFile})
			}
		}
	}
	return out, nil
}

func (r *run) plannedEnvelope(address string) *planner.EnvelopePlan {
	for _, e := range r.plan.Envelopes {
		if e.Address == address {
			return e
		}
	}
	return nil
}

// envelopeResults tells of what was sealed, in the plan's order.
func (r *run) envelopeResults() []EnvelopeResult {
	var out []EnvelopeResult
	for _, e := range r.plan.Envelopes {
		for _, c := range e.Changes {
			folder := planner.EnvelopeFolder(e.Name, c.Device)
			s := r.sealed[folder]
			if s == nil {
				continue
			}
			res := EnvelopeResult{Address: e.Address, Envelope: e.Name, Device: c.Device, Change: c.Change, Dir: r.path(folder)}
			for _, f := range s.files {
				res.Size += f.Size
			}
			r.observe.tell(Event{Type: EventEnvelope, Envelope: e.Address, Device: c.Device, File: res.Dir, Bytes: res.Size})
			out = append(out, res)
		}
	}
	return out
}
