package relate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/layers"
	"github.com/flotobuild/flotobuild/store"
)

// An Opener opens patch files and lists those of a folder, as patch.Opener does.
type Opener interface {
	Open(path string) (*patch.Reader, error)
	List(dir string) ([]patch.File, error)
}

// A Hand holds what blobs are taken from: patches, and folders that are OCI
// image layouts. It is a store.Source, whose blobs are whole also where the
// patches carry deltas: these are unpacked in the system's folder for temporary
// files. It is not safe for concurrent use.
type Hand struct {
	opener  Opener
	patches []*patch.Reader
	layouts []*store.Store
	others  []held
	made    *layers.Source // of all of them; nil until it is needed
}

// held is a layer whose blob src has.
type held struct {
	src   store.Source
	layer patch.Layer
}

// Hold keeps a layer whose blob src has.
func (h *Hand) Hold(src store.Source, l patch.Layer) error {
	h.others = append(h.others, held{src, l})
	return h.reset()
}

// NewHand makes an empty hand that opens patches with o.
func NewHand(o Opener) *Hand { return &Hand{opener: o} }

// Close closes all patches.
func (h *Hand) Close() error {
	errs := []error{h.reset()}
	for _, p := range h.patches {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}

// Patch opens a patch file and keeps it. One that is in the hand already is not
// opened twice.
func (h *Hand) Patch(path string) (*patch.Reader, error) {
	p, err := h.opener.Open(path)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(h.patches, func(q *patch.Reader) bool { return q.Digest == p.Digest }); i >= 0 {
		return h.patches[i], p.Close()
	}
	h.patches = append(h.patches, p)
	return p, h.reset()
}

// Add keeps a patch file, an image layout, or all readable patches of a folder.
func (h *Hand) Add(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return fmt.Errorf("cannot use %q: %w", path, errors.Unwrap(err))
	case !info.IsDir():
		_, err := h.Patch(path)
		return err
	}
	s, err := store.Open(path)
	if err == nil {
		h.layouts = append(h.layouts, s)
		return h.reset()
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return h.folder(path)
}

func (h *Hand) folder(path string) error {
	files, err := h.opener.List(path)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("cannot use %q: the folder is no OCI image layout and has no patch files", path)
	}
	for _, f := range files {
		if f.Err != nil {
			continue
		}
		if _, err := h.Patch(f.Path); err != nil {
			return err
		}
	}
	return nil
}

// Ancestors adds the patches that p builds on, and those behind them, as far as
// they stand in the folder dir. What is missing or unreadable there ends the
// search.
func (h *Hand) Ancestors(dir string, p *patch.Reader) error {
	files, err := h.opener.List(dir)
	if err != nil {
		return err
	}
	seen := map[digest.Digest]bool{p.Digest: true}
	queue := related(p.Description)
	for len(queue) > 0 {
		ref := queue[0]
		queue = queue[1:]
		for _, f := range files {
			if f.Header == nil || seen[f.Header.Digest] || !f.Header.Is(ref) {
				continue
			}
			seen[f.Header.Digest] = true
			a, err := h.Patch(f.Path)
			if err != nil {
				continue
			}
			queue = append(queue, related(a.Description)...)
		}
	}
	return nil
}

// related lists the patches that may hold what d needs and does not bring.
func related(d *patch.Description) []patch.ParentRef {
	out := slices.Clone(d.Flotobuild.Parents)
	if d.Flotobuild.Release != nil {
		out = append(out, d.Ref(""))
	}
	return out
}

// Headers gives the patches of the hand.
func (h *Hand) Headers() []*patch.Header {
	var out []*patch.Header
	for _, p := range h.patches {
		out = append(out, &p.Header)
	}
	return out
}

// Find gives the patch that a reference means; nil where it is not at hand.
func (h *Hand) Find(ref patch.ParentRef) *patch.Reader {
	for _, p := range h.patches {
		if p.Is(ref) {
			return p
		}
	}
	return nil
}

// Blob implements store.Source.
func (h *Hand) Blob(ctx context.Context, d digest.Digest) (store.Blob, error) {
	for _, p := range h.patches {
		if p.Has(d) {
			return p.Blob(ctx, d)
		}
	}
	for _, s := range h.layouts {
		b, err := s.Blob(ctx, d)
		if !errors.Is(err, fs.ErrNotExist) {
			return b, err
		}
	}
	s, err := h.layers()
	if err != nil {
		return nil, err
	}
	return s.Blob(ctx, d)
}

// Tar gives a layer unpacked, with its size in bytes; fs.ErrNotExist where it is
// not at hand. It stays readable until something is added or the hand is closed.
func (h *Hand) Tar(ctx context.Context, diffID digest.Digest) (io.ReaderAt, int64, error) {
	s, err := h.layers()
	if err != nil {
		return nil, 0, err
	}
	if !s.Has(diffID) {
		return nil, 0, fmt.Errorf("cannot find layer %q: %w", diffID, fs.ErrNotExist)
	}
	return s.Tar(ctx, diffID)
}

// layers puts together where the layers are.
func (h *Hand) layers() (*layers.Source, error) {
	if h.made != nil {
		return h.made, nil
	}
	made := layers.New("")
	for _, p := range h.patches {
		made.Add(p)
		for _, i := range p.Description.Flotobuild.Images {
			for _, m := range i.Manifests {
				if err := h.hold(made, m.Layers); err != nil {
					return nil, err
				}
			}
		}
	}
	for _, o := range h.others {
		made.Hold(o.src, o.layer)
	}
	h.made = made
	return made, nil
}

// hold adds what the layouts have of the layers.
func (h *Hand) hold(made *layers.Source, all []patch.Layer) error {
	for _, l := range all {
		for _, s := range h.layouts {
			ok, err := s.Has(l.Digest, l.Size)
			if err != nil {
				return err
			}
			if ok {
				made.Hold(s, l)
			}
		}
	}
	return nil
}

// reset forgets what was put together.
func (h *Hand) reset() error {
	made := h.made
	h.made = nil
	if made == nil {
		return nil
	}
	return made.Close()
}
