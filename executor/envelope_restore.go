package executor

import (
	"fmt"
	"io"
	"path"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
)

// restored is an output that a parent's patch carries and the project has not,
// as in a fresh checkout.
type restored struct {
	from   *patch.Reader
	folder string // in the patch
	files  []planner.File
}

func (o *restored) list() []planner.File { return o.files }

func (o *restored) open(name string) (io.ReadCloser, error) { return o.from.Open(o.folder + name) }

// restoreAll finds the outputs that the plan takes from parents.
func (r *run) restoreAll() error {
	r.restored = make(map[string]*restored)
	for _, e := range r.plan.Envelopes {
		for _, c := range e.Changes {
			if c.From == "" {
				continue
			}
			from := r.parents.byID(c.From)
			if from == nil {
				return fmt.Errorf("cannot take envelope %q for device %q from the parent %q: the plan has no such parent", e.Name, c.Device, c.From)
			}
			r.restored[planner.EnvelopeFolder(e.Name, c.Device)] = &restored{from, patch.EnvelopesDir + path.Join(e.Name, c.Device) + "/", c.Files}
		}
	}
	return nil
}

// byID finds a patch that is at hand.
func (p *parents) byID(id string) *patch.Reader {
	for _, r := range p.files {
		if r.Description.ID == id {
			return r
		}
	}
	return nil
}
