package legacy

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/store"
)

// Options say how Convert writes.
type Options struct {
	Dir         string            // the folder for the new files, which must exist
	Compression store.Compression // of the layers
}

// A Converted patch is one that Convert wrote.
type Converted struct {
	File    string   `json:"file"`
	ID      string   `json:"id"`
	Size    int64    `json:"size"` // bytes of the file
	Images  int      `json:"images"`
	Layers  int      `json:"layers"`            // in the file
	Dropped []string `json:"dropped,omitempty"` // entries that the new form has no place for
}

// Convert writes patches of floto anew in the form of package patch, with the
// same ids. files are whole chains: each patch with its parent, down to the
// initial one, in any order. Equal files give equal bytes.
//
// What it cannot do it refuses before anything is written. New files appear
// when all of them are complete, and none after a failure.
func Convert(ctx context.Context, files []*Reader, o Options) ([]Converted, error) {
	out, err := convert(ctx, files, o)
	if err != nil {
		return nil, fmt.Errorf("cannot convert: %w", err)
	}
	return out, nil
}

func convert(ctx context.Context, files []*Reader, o Options) (out []Converted, err error) {
	ordered, err := order(files)
	if err != nil {
		return nil, err
	}
	c := &converter{opts: o, set: newSet(ordered...), layers: make(map[string]*blob), done: make(map[string]*draft)}
	for _, p := range ordered {
		if err := c.plan(ctx, p); err != nil {
			return nil, fmt.Errorf("patch %q: %w", p.Description.ID, err)
		}
	}
	var writers []*patch.Writer
	defer func() {
		for _, w := range writers {
			w.Abort()
		}
	}()
	for _, p := range ordered {
		d := c.done[p.Description.ID]
		w, err := patch.Create(o.Dir, d.desc)
		if err != nil {
			return nil, err
		}
		writers = append(writers, w)
		if err := w.AddAll(ctx, d.open); err != nil {
			return nil, err
		}
		if err := w.Finish(); err != nil {
			return nil, err
		}
		out = append(out, d.result(w.Path()))
	}
	return out, publish(writers, out)
}

// publish names all files; when one fails, those before it are taken back.
func publish(writers []*patch.Writer, out []Converted) error {
	for i, w := range writers {
		err := w.Publish()
		if err == nil {
			var st os.FileInfo
			if st, err = os.Stat(w.Path()); err == nil {
				out[i].Size = st.Size()
				continue
			}
		}
		for _, done := range writers[:i] {
			err = errors.Join(err, os.Remove(done.Path()))
		}
		return err
	}
	return nil
}

// order puts parents before what is based on them.
func order(files []*Reader) ([]*Reader, error) {
	byID := make(map[string]*Reader)
	for _, p := range files {
		if byID[p.Description.ID] != nil {
			return nil, fmt.Errorf("patch %q is given twice", p.Description.ID)
		}
		byID[p.Description.ID] = p
	}
	var out []*Reader
	placed := make(map[string]bool)
	for len(out) < len(files) {
		before := len(out)
		for _, p := range files {
			d := p.Description
			if d.ParentID != "" && byID[d.ParentID] == nil {
				return nil, fmt.Errorf("patch %q needs its parent %q, whose layers are not in it: name that file too", d.ID, d.ParentID)
			}
			if !placed[d.ID] && (d.ParentID == "" || placed[d.ParentID]) {
				placed[d.ID] = true
				out = append(out, p)
			}
		}
		if len(out) == before {
			return nil, errors.New("the patches are each other's parents")
		}
	}
	return out, nil
}

// A converter holds what the patches of one call share.
type converter struct {
	opts   Options
	set    *set
	layers map[string]*blob  // by the old id
	done   map[string]*draft // by the id of the patch
}

// diffID gives none for a layer without files.
func (c *converter) diffID(id string) digest.Digest {
	if b := c.layers[id]; b.files {
		return b.DiffID
	}
	return ""
}
