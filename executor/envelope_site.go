package executor

import (
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/opencontainers/go-digest"

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

// An output is what a device has of an envelope.
type output interface {
	// list gives the files without the record, sorted by name.
	list() []planner.File
	// open reads a file, or the record.
	open(name string) (io.ReadCloser, error)
}

// output gives the output of a device: sealed, taken from a parent, or what is
// there already.
func (r *run) output(e *planner.EnvelopePlan, c planner.DeviceChange) output {
	folder := planner.EnvelopeFolder(e.Name, c.Device)
	if s := r.sealed[folder]; s != nil {
		return s
	}
	if o := r.restored[folder]; o != nil {
		return o
	}
	return kept{r.path(folder), c.Files}
}

// kept is an output that keeps its place.
type kept struct {
	dir   string
	files []planner.File
}

func (k kept) list() []planner.File                    { return k.files }
func (k kept) open(name string) (io.ReadCloser, error) { return os.Open(filepath.Join(k.dir, name)) }

// A travelling is a file of an envelope that travels in a patch.
type travelling struct {
	output output
	name   string // of the file
}

func (t travelling) open() (io.ReadCloser, error) { return t.output.open(t.name) }

// envelopeContents lists the envelopes of a site as entries of its patch. Their
// records travel, too, so that a fresh checkout can go on from there.
func (r *run) envelopeContents(d *draft) ([]patch.Content, error) {
	d.envelopes = make(map[string]travelling)
	var out []patch.Content
	for _, address := range d.site.Envelopes {
		e := r.plannedEnvelope(address)
		if e == nil {
			return nil, fmt.Errorf("the plan needs %s and does not have it", address)
		}
		for _, c := range e.Changes {
			o := r.output(e, c)
			record, err := recordOf(o)
			if err != nil {
				return nil, fmt.Errorf("cannot read what %s is for device %q: %w", address, c.Device, err)
			}
			for _, f := range append(slices.Clone(o.list()), record) {
				entry := patch.EnvelopesDir + path.Join(e.Name, c.Device, f.Path)
				d.envelopes[entry] = travelling{o, f.Path}
				out = append(out, patch.Content{Path: entry, Size: f.Size, SHA256: f.Digest.Encoded(), Mode: patch.ModeFile})
			}
		}
	}
	return out, nil
}

func recordOf(o output) (planner.File, error) {
	f, err := o.open(planner.SealedFile)
	if err != nil {
		return planner.File{}, err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	return planner.File{Path: planner.SealedFile, Size: int64(len(b)), Digest: digest.FromBytes(b)}, err
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
