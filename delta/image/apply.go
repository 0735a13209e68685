package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/delta"
	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/store"
)

// ApplyOptions are what Apply may be given besides.
type ApplyOptions struct {
	// Form is that of the new image: [Layout], [LayoutArchive] or
	// [DockerArchive]; "" for Layout.
	Form Form
	// Name is the image's name in it; "" for none.
	Name string
	// Exact refuses an image whose manifest would have another digest than that
	// of the image that the delta was made from.
	Exact bool
}

// A Result tells of an image that was written.
type Result struct {
	ID       digest.Digest
	Manifest ocispec.Descriptor // zero for docker archives, which have none
	// Uncompressed counts layers that stand uncompressed in the manifest since
	// their compression could not be made again. Zero means that the manifest is
	// the original.
	Uncompressed int
}

// ErrNotExact says that the manifest's digest cannot be kept.
var ErrNotExact = errors.New("layers of the manifest are compressed in a way that cannot be made again")

// Apply makes the new image out of the old one at path, where nothing, or for a
// layout an empty folder, may be. All layers that it needs of the old image are
// checked before anything is written, and the new image appears whole or not at
// all.
func (f *File) Apply(ctx context.Context, old *Image, path string, o ApplyOptions) (*Result, error) {
	r, err := f.apply(ctx, old, path, o)
	if err != nil {
		return nil, fmt.Errorf("cannot make image %q: %w", f.Image.Digest, err)
	}
	return r, nil
}

func (f *File) apply(ctx context.Context, old *Image, path string, o ApplyOptions) (*Result, error) {
	a := &application{file: f, old: old, shelf: shelf{dir: dirOf(path)}, bases: make(map[digest.Digest]*io.SectionReader)}
	defer a.shelf.close()
	if o.Form == DockerArchive {
		return a.docker(ctx, path, o)
	}
	if err := a.plan(); err != nil {
		return nil, err
	}
	if o.Exact && a.result.Uncompressed > 0 {
		return nil, fmt.Errorf("%w: %d of %d", ErrNotExact, a.result.Uncompressed, len(f.Layers))
	}
	if o.Form == LayoutArchive {
		return a.archive(ctx, path, o)
	}
	return a.layout(ctx, path, o)
}

// An application is a delta that is being applied.
type application struct {
	file   *File
	old    *Image
	shelf  shelf
	bases  map[digest.Digest]*io.SectionReader
	result Result

	manifest []byte // of the new image
	parts    []part // its layers
}

// A part is a blob of the new image and how it is made.
type part struct {
	desc  ocispec.Descriptor
	write func(context.Context, io.Writer) error
}

// open finds the bases in the old image and checks them.
func (a *application) open(ctx context.Context) error {
	var missing []string
	for _, b := range a.file.Bases {
		if !slices.ContainsFunc(a.old.Layers, func(l Layer) bool { return l.DiffID == b.Digest }) {
			missing = append(missing, b.Digest.String())
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%w: the old image lacks %d of the %d layers that the delta needs: %s",
			delta.ErrWrongBase, len(missing), len(a.file.Bases), first(missing))
	}
	for _, b := range a.file.Bases {
		i := slices.IndexFunc(a.old.Layers, func(l Layer) bool { return l.DiffID == b.Digest })
		r, err := a.shelf.plain(ctx, a.old.Layers[i], b.Size)
		if err != nil {
			return err
		}
		if r.Size() != b.Size {
			return fmt.Errorf("%w: layer %q has %d bytes instead of %d", delta.ErrWrongBase, b.Digest, r.Size(), b.Size)
		}
		a.bases[b.Digest] = r
	}
	return nil
}

// first names some of many.
func first(names []string) string {
	const most = 3
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// plan decides how the blobs of the new image are made, and its manifest.
func (a *application) plan() error {
	var m ocispec.Manifest
	if a.file.Manifest != nil {
		if err := json.Unmarshal(a.file.imageManifest, &m); err != nil {
			return fmt.Errorf("%w: its image manifest: %w", ErrMalformed, err)
		}
		if len(m.Layers) != len(a.file.Layers) || m.Config.Digest != a.file.Image.Digest {
			return fmt.Errorf("%w: its image manifest is that of another image", ErrMalformed)
		}
	}
	for i, l := range a.file.Layers {
		if err := checkBlob(m, i, l); err != nil {
			return fmt.Errorf("%w: its image manifest: %w", ErrMalformed, err)
		}
		want := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: l.DiffID, Size: l.Size}
		if a.file.Manifest != nil {
			want = m.Layers[i]
		}
		p, exact, err := a.part(l, want)
		if err != nil {
			return err
		}
		if !exact {
			a.result.Uncompressed++
			m.Layers[i] = p.desc
		}
		a.parts = append(a.parts, p)
	}
	a.result.ID = a.file.Image.Digest
	a.describe(m)
	return nil
}

// checkBlob checks what a manifest, if there is one, says of a layer.
func checkBlob(m ocispec.Manifest, i int, l LayerDescription) error {
	if m.Layers == nil {
		return nil
	}
	d := m.Layers[i]
	if err := checkDescriptor(d.Digest, d.Size, maxSize); err != nil {
		return err
	}
	if d.Digest == l.DiffID && d.Size != l.Size {
		return fmt.Errorf("layer %q has %d bytes, not %d", l.DiffID, l.Size, d.Size)
	}
	return nil
}

// describe makes the manifest of the result: the original where it holds.
func (a *application) describe(m ocispec.Manifest) {
	switch {
	case a.file.Manifest == nil:
		var layers []ocispec.Descriptor
		for _, p := range a.parts {
			layers = append(layers, p.desc)
		}
		config := a.file.Image
		config.MediaType = ocispec.MediaTypeImageConfig
		a.manifest, a.result.Manifest = store.NewManifest(config, layers)
	case a.result.Uncompressed == 0:
		a.manifest, a.result.Manifest = a.file.imageManifest, *a.file.Manifest
	default:
		a.manifest = encode(m)
		a.result.Manifest = store.Describe(a.file.Manifest.MediaType, a.manifest)
	}
}

// dockerLayer is the media type of uncompressed layers in Docker's manifests.
const dockerLayer = "application/vnd.docker.image.rootfs.diff.tar"

// part says how the blob of a layer is made, and whether it is the wanted one.
func (a *application) part(l LayerDescription, want ocispec.Descriptor) (part, bool, error) {
	if want.Digest == l.DiffID {
		return part{want, a.plain(l, true)}, true, nil
	}
	if l.Content != nil && l.Content.Digest == want.Digest {
		return part{want, func(ctx context.Context, w io.Writer) error { return a.content(ctx, l, w) }}, true, nil
	}
	if i := slices.IndexFunc(a.old.Layers, func(o Layer) bool { return o.Blob.Digest == want.Digest }); i >= 0 {
		return part{want, func(ctx context.Context, w io.Writer) error { return copyLayer(ctx, a.old.Layers[i], w) }}, true, nil
	}
	r, err := parseRecipe(l)
	if err != nil {
		return part{}, false, err
	}
	if r != nil {
		return part{want, a.compress(l, r)}, true, nil
	}
	plain := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: l.DiffID, Size: l.Size}
	if a.file.Manifest.MediaType != ocispec.MediaTypeImageManifest {
		plain.MediaType = dockerLayer
	}
	return part{plain, a.plain(l, true)}, false, nil
}

// content writes what the delta carries of a layer.
func (a *application) content(ctx context.Context, l LayerDescription, w io.Writer) error {
	r, err := a.file.tar.open(blobName(l.Content.Digest))
	if err == nil {
		_, err = verify.Copy(ctx, w, r)
	}
	return err
}

// copyLayer writes a layer as the old image has it.
func copyLayer(ctx context.Context, l Layer, w io.Writer) error {
	b, err := l.open(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	_, err = verify.Copy(ctx, w, io.NewSectionReader(b, 0, b.Size()))
	return err
}

// plain gives what writes a layer uncompressed. Hashed says that the writer
// compares it with its diff id.
func (a *application) plain(l LayerDescription, hashed bool) func(context.Context, io.Writer) error {
	return func(ctx context.Context, w io.Writer) error {
		if l.Way == Shared {
			r := a.bases[l.DiffID]
			_, err := verify.Copy(ctx, w, io.NewSectionReader(r, 0, r.Size()))
			return err
		}
		r, err := a.file.tar.open(blobName(l.Content.Digest))
		if err != nil {
			return err
		}
		checked := verify.NewReader(r, "the delta's content "+l.Content.Digest.String(), l.Content.Size, l.Content.Digest)
		if l.Way == Whole {
			return unpackTo(ctx, w, l, checked)
		}
		_, err = delta.Apply(ctx, checked, a.base, w, delta.ApplyOptions{Trust: true, Checked: hashed, MaxSize: l.Size})
		return err
	}
}

// base gives a base to package delta. The description names all of them, and
// they are checked.
func (a *application) base(d digest.Digest) (io.ReaderAt, int64, error) {
	r, ok := a.bases[d]
	if !ok {
		return nil, 0, fmt.Errorf("%w: its description does not name the base %q", ErrMalformed, d)
	}
	return r, r.Size(), nil
}

// unpackTo unpacks a whole layer.
func unpackTo(ctx context.Context, w io.Writer, l LayerDescription, r io.Reader) error {
	z, err := store.Decompress(l.Content.MediaType, r)
	if err != nil {
		return err
	}
	defer z.Close()
	_, err = verify.Copy(ctx, w, limited(z, l.Size))
	return err
}
