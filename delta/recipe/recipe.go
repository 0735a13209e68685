package recipe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/flotobuild/flotobuild/delta/deflate"
	"github.com/flotobuild/flotobuild/internal/verify"
)

// Max is how many bytes a recipe has at most. Longer ones are those of layers
// with headers that hold more than a name, or of very many parts.
const Max = 64 << 10

// The kinds of recipes: their first bytes.
const (
	kindDeflate = 1
	kindZstd    = 2
)

// ErrEncoder says that a recipe names an encoder that this version does not
// have.
var ErrEncoder = deflate.ErrEncoder

// A Recipe says how a blob is made from its tar. The zero value copies it.
type Recipe struct {
	deflate *deflate.Recipe
	zstd    *zstdSettings
}

// Identify looks for the recipe of a compressed blob of size bytes. It is false
// where no known encoder makes the blob, or the blob is damaged. A recipe is
// returned only after the whole blob was made again and compared.
func Identify(ctx context.Context, blob io.ReaderAt, size int64) (Recipe, bool, error) {
	r, ok, err := identify(ctx, blob, size)
	if err != nil || !ok {
		return Recipe{}, false, err
	}
	b, err := r.MarshalBinary()
	return r, len(b) <= Max, err
}

func identify(ctx context.Context, blob io.ReaderAt, size int64) (Recipe, bool, error) {
	var magic [4]byte
	n, err := blob.ReadAt(magic[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return Recipe{}, false, fmt.Errorf("cannot read a compressed layer: %w", err)
	}
	if bytes.Equal(magic[:n], zstdMagic) {
		s, err := identifyZstd(ctx, blob, size)
		return Recipe{zstd: s}, s != nil, err
	}
	d, ok, err := deflate.IdentifyLayer(ctx, io.NewSectionReader(blob, 0, size), io.Discard)
	return Recipe{deflate: d}, ok, err
}

// Parse reads what MarshalBinary made. Malformed bytes are an error; one that is
// ErrEncoder says that they come from another version.
func Parse(b []byte) (Recipe, error) {
	r, err := parse(b)
	if err != nil {
		return Recipe{}, fmt.Errorf("cannot read the recipe of a layer: %w", err)
	}
	return r, nil
}

func parse(b []byte) (Recipe, error) {
	if len(b) > Max {
		return Recipe{}, fmt.Errorf("it has %d bytes, and %d are the limit", len(b), Max)
	}
	switch {
	case len(b) == 0:
		return Recipe{}, nil
	case b[0] == kindDeflate:
		d, err := deflate.ParseRecipe(b)
		if err != nil {
			return Recipe{}, err
		}
		return Recipe{deflate: d}, d.Check()
	case b[0] == kindZstd:
		s, err := parseZstd(b[1:])
		return Recipe{zstd: s}, err
	}
	return Recipe{}, fmt.Errorf("kind %d: %w", b[0], ErrEncoder)
}

// MarshalBinary gives the form for storing; none for the zero value.
func (r Recipe) MarshalBinary() ([]byte, error) {
	switch {
	case r.deflate != nil:
		return r.deflate.MarshalBinary()
	case r.zstd != nil:
		return append([]byte{kindZstd}, r.zstd.bytes()...), nil
	}
	return nil, nil
}

// String names the encoder, for people.
func (r Recipe) String() string {
	switch {
	case r.deflate != nil:
		return r.deflate.String()
	case r.zstd != nil:
		return r.zstd.String()
	}
	return "uncompressed"
}

// Encode writes the blob of the tar that content holds, as one stream within
// bounded memory. Whether it is the right blob is for the caller to check.
func (r Recipe) Encode(ctx context.Context, w io.Writer, content io.Reader) error {
	switch {
	case r.deflate != nil:
		return r.deflate.Encode(ctx, w, content)
	case r.zstd != nil:
		return r.zstd.encode(ctx, w, content)
	}
	_, err := verify.Copy(ctx, w, content)
	return err
}
