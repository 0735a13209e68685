package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/moby/moby/client"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/store"
)

// A LoadPlan is what an engine lacks of an image.
type LoadPlan struct {
	Image    string // its name in the patch
	ID       digest.Digest
	Manifest *patch.Manifest
	// Missing are the layers that are sent, base first; none where the engine
	// has the image.
	Missing []patch.Layer
	Present bool // the engine has the image
}

// Size is how many bytes of layers the store gives for it. More travel where the
// engine cannot read what they are compressed with.
func (l *LoadPlan) Size() int64 {
	var n int64
	for _, m := range l.Missing {
		n += m.Size
	}
	return n
}

// PlanLoads says what the engine lacks of images. Layers that several of the
// images have are counted with the first.
func (e *Engine) PlanLoads(ctx context.Context, images []*patch.Image) ([]LoadPlan, error) {
	known, err := e.chains(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the images of the engine %q: %w", e.Name, err)
	}
	out := make([]LoadPlan, 0, len(images))
	for _, i := range images {
		m, err := e.Choose(i)
		if err != nil {
			return nil, err
		}
		l := LoadPlan{Image: i.Name, ID: e.ImageID(m), Manifest: m}
		if l.Present, err = e.Has(ctx, l.ID); err != nil {
			return nil, err
		}
		if !l.Present {
			l.Missing = e.lacking(m, known)
		}
		out = append(out, l)
	}
	return out, nil
}

// lacking gives the layers that are not known, and remembers them.
func (e *Engine) lacking(m *patch.Manifest, known map[digest.Digest]bool) []patch.Layer {
	if e.complete {
		return m.Layers
	}
	ids := make([]digest.Digest, 0, len(m.Layers))
	for _, l := range m.Layers {
		ids = append(ids, l.DiffID)
	}
	var out []patch.Layer
	for n, c := range identity.ChainIDs(ids) {
		if !known[c] {
			out = append(out, m.Layers[n])
			known[c] = true
		}
	}
	return out
}

// Load sends an image to the engine, from a source that has all its blobs:
// those layers that the plan lists. Where the engine has lost others of its
// layers since the plan was made, it sends all. sent is called with the bytes of layers read so far.
func (e *Engine) Load(ctx context.Context, src store.Source, l *LoadPlan, sent func(int64)) error {
	if l.Present {
		return nil
	}
	err := e.load(ctx, src, l.Manifest, l.Missing, sent)
	if errors.Is(err, errRefused) && len(l.Missing) < len(l.Manifest.Layers) {
		err = e.load(ctx, src, l.Manifest, l.Manifest.Layers, sent)
	}
	if err != nil {
		return fmt.Errorf("cannot load image %q into the engine %q: %w", l.Image, e.Name, err)
	}
	has, err := e.Has(ctx, l.ID)
	if err == nil && !has {
		err = fmt.Errorf("cannot load image %q into the engine %q: it took the image and does not have %q", l.Image, e.Name, l.ID)
	}
	return err
}

// errRefused means that the engine did not want what it was sent.
var errRefused = errors.New("the engine says")

func (e *Engine) load(ctx context.Context, src store.Source, m *patch.Manifest, layers []patch.Layer, sent func(int64)) error {
	pr, pw := io.Pipe()
	written := make(chan error, 1)
	a := &archive{ctx: ctx, src: src, manifest: m, layers: layers, zstd: e.zstd, sent: sent}
	go func() {
		err := a.write(pw, e.complete, e.Local())
		pw.CloseWithError(err)
		written <- err
	}()
	err := e.send(ctx, pr)
	pr.CloseWithError(io.ErrClosedPipe)
	if werr := <-written; werr != nil && !errors.Is(werr, io.ErrClosedPipe) {
		return werr
	}
	return err
}

// send hands an archive to the engine and reads what it says.
func (e *Engine) send(ctx context.Context, archive io.Reader) error {
	answer, err := e.client.ImageLoad(ctx, archive, client.ImageLoadWithQuiet(true))
	if err != nil {
		return err
	}
	defer answer.Close()
	for d := json.NewDecoder(answer); ; {
		var m struct {
			Error string `json:"error"`
		}
		switch err := d.Decode(&m); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("cannot read the engine's answer: %w", err)
		case m.Error != "":
			return fmt.Errorf("%w: %s", errRefused, m.Error)
		}
	}
}
