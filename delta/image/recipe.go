package image

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/flotobuild/flotobuild/delta/deflate"
)

// recipe looks for the way in which a layer was compressed. None is no error.
func (c *creation) recipe(ctx context.Context, l Layer) ([]byte, error) {
	b, err := l.open(ctx)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	r, ok, err := deflate.IdentifyLayer(ctx, io.NewSectionReader(b, 0, b.Size()), io.Discard)
	if err != nil || !ok {
		return nil, err
	}
	return r.MarshalBinary()
}

// parseRecipe reads a layer's recipe; nil is one that this version does not
// know, or none.
func parseRecipe(l LayerDescription) (*deflate.Recipe, error) {
	if len(l.Recipe) == 0 {
		return nil, nil
	}
	r, err := deflate.ParseRecipe(l.Recipe)
	if err == nil && r.Size() != l.Size {
		err = fmt.Errorf("it takes %d bytes, and the layer has %d", r.Size(), l.Size)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: the recipe of layer %q: %w", ErrMalformed, l.DiffID, err)
	}
	if errors.Is(r.Check(), deflate.ErrEncoder) {
		return nil, nil
	}
	return r, nil
}

// compress gives what writes a layer as its recipe says.
func (a *application) compress(l LayerDescription, r *deflate.Recipe) func(context.Context, io.Writer) error {
	return func(ctx context.Context, w io.Writer) error {
		content, plain := io.Pipe()
		made := make(chan error, 1)
		go func() {
			err := a.plain(l, false)(ctx, plain)
			_ = plain.CloseWithError(err) // never fails
			made <- err
		}()
		err := r.Encode(ctx, w, content)
		_ = content.CloseWithError(errors.Join(err, io.ErrClosedPipe)) // never fails
		if from := <-made; err == nil {
			err = from
		}
		return err
	}
}
