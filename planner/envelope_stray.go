package planner

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// A Stray is an output of an envelope, a device or a volume that the
// configuration has no more. Apply removes it, unless somebody has changed it:
// then it may be the only one of its kind.
type Stray struct {
	Path string `json:"path"`           // folder of a device, or file of a volume; relative to the project
	Kept bool   `json:"kept,omitempty"` // it was changed, and stays
}

// gatherStrays finds outputs that belong to nothing. A selection leaves them
// alone: it is about a part of the project.
func (r *resolver) gatherStrays(ctx context.Context, facts EnvelopeFacts) hcl.Diagnostics {
	if r.opts.Partial {
		return nil
	}
	known := make(map[string]bool)
	for _, e := range r.cfg.Envelopes {
		for _, d := range e.Devices {
			known[EnvelopeFolder(e.Name, d.Name)] = true
		}
		for _, b := range e.Blobs {
			if b.Image != nil && b.Volume != nil {
				known[VolumeFile(b.Volume.ID)] = true
			}
		}
	}
	var err error
	if r.strays, err = facts.Strays(ctx, func(path string) bool { return known[path] }); err != nil {
		return hcl.Diagnostics{problem(hcl.Range{}, "Cannot read sealed envelopes", sentence(err))}
	}
	slices.SortFunc(r.strays, func(a, b Stray) int { return cmp.Compare(a.Path, b.Path) })
	return nil
}

// isOutput says that a path is the folder of a device or the file of a volume.
func isOutput(path string) bool {
	if id, ok := strings.CutPrefix(path, VolumesDir+"/"); ok {
		return isFolder(id)
	}
	rest, ok := strings.CutPrefix(path, EnvelopesDir+"/")
	envelope, device, deep := strings.Cut(rest, "/")
	return ok && deep && isFolder(envelope) && isFolder(device)
}
