package layers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/store"
)

// A Source knows where layers are. It is safe for concurrent use once all is
// added. It makes one thing at a time: each takes the memory of delta.Apply. On
// the disk it keeps what was asked for and what that builds on directly: of a long
// chain of deltas no more than a few layers at any time.
type Source struct {
	dir    string
	places map[digest.Digest][]place // by diff id
	deltas map[digest.Digest]place   // by blob, for layers of which there is a delta

	ranking sync.Mutex
	ranks   map[digest.Digest]int // see ranked; nil when something was added

	mu    sync.Mutex
	tars  map[digest.Digest]*tar
	fails map[digest.Digest]error // layers that nothing makes
	blobs map[digest.Digest]*os.File
}

// A place is where a layer can be taken from.
type place struct {
	layer patch.Layer
	src   store.Source          // has the blob; nil where the layer is a delta
	patch *patch.Reader         // has the delta
	delta *patch.LayerTransport // nil where the blob is there
}

// New makes a source without layers, which unpacks into the folder dir; "" is
// that of the system for temporary files. dir is made where it is needed.
func New(dir string) *Source {
	return &Source{
		dir: dir, places: make(map[digest.Digest][]place), deltas: make(map[digest.Digest]place),
		tars: make(map[digest.Digest]*tar), fails: make(map[digest.Digest]error), blobs: make(map[digest.Digest]*os.File),
	}
}

// Close removes what was unpacked.
func (s *Source) Close() error {
	var errs []error
	for _, t := range s.tars {
		errs = append(errs, t.close())
	}
	for _, f := range s.blobs {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// Add adds the layers that a patch carries. It must stay open.
func (s *Source) Add(p *patch.Reader) {
	s.ranks = nil
	deltas := p.Description.Deltas()
	for _, i := range slices.Concat(p.Description.Flotobuild.Images, p.Description.Flotobuild.Bases) {
		for _, m := range i.Manifests {
			for _, l := range m.Layers {
				if t, ok := deltas[l.Digest]; ok {
					at := place{layer: l, patch: p, delta: &t}
					s.places[l.DiffID] = append(s.places[l.DiffID], at)
					s.deltas[l.Digest] = at
				} else if p.Has(l.Digest) {
					s.Hold(p, l)
				}
			}
		}
	}
}

// Hold adds a layer whose blob src has. Whole layers come before deltas.
func (s *Source) Hold(src store.Source, l patch.Layer) {
	s.ranks = nil
	s.places[l.DiffID] = slices.Insert(s.places[l.DiffID], 0, place{layer: l, src: src})
}

// Has says whether the layer with a diff id can be made, without making it.
func (s *Source) Has(diffID digest.Digest) bool {
	_, ok := s.ranked()[diffID]
	return ok
}

// Tar gives a layer's tar, and its size in bytes. It stays readable until
// Close. A layer that is nowhere is fs.ErrNotExist.
func (s *Source) Tar(ctx context.Context, diffID digest.Digest) (io.ReaderAt, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.newMaking().tar(ctx, diffID)
	if err != nil {
		return nil, 0, fmt.Errorf("cannot read layer %q: %w", diffID, err)
	}
	t.kept = true
	return t, t.Size(), nil
}

// Blob implements store.Source, for the blobs that are made of deltas. That they
// are made shows at the first read. A blob of which no delta is at hand, or of
// whose delta a base is not, is fs.ErrNotExist.
func (s *Source) Blob(ctx context.Context, d digest.Digest) (store.Blob, error) {
	p, ok := s.deltas[d]
	if !ok || s.after(p) < 0 {
		return nil, fmt.Errorf("cannot find blob %q: %w", d, fs.ErrNotExist)
	}
	return &blob{ctx, s, p}, nil
}

// A blob is made of a delta when it is read.
type blob struct {
	ctx    context.Context
	source *Source
	place  place
}

// Size implements store.Blob.
func (b *blob) Size() int64 { return b.place.layer.Size }

// Close does nothing: the file is kept for the next one who asks.
func (b *blob) Close() error { return nil }

// ReadAt implements io.ReaderAt.
func (b *blob) ReadAt(p []byte, off int64) (int, error) {
	f, err := b.source.made(b.ctx, b.place)
	if err != nil {
		return 0, fmt.Errorf("cannot make layer %q of its delta: %w", b.place.layer.DiffID, err)
	}
	return f.ReadAt(p, off)
}

func (s *Source) made(ctx context.Context, p place) (*os.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.blobs[p.layer.Digest]; f != nil {
		return f, nil
	}
	bases, err := s.newMaking().bases(ctx, p)
	if err != nil {
		return nil, err
	}
	f, err := s.fill(func(f *os.File) error {
		r, err := p.patch.Open(patch.DeltaEntry(p.delta.Delta.Digest))
		if err != nil {
			return err
		}
		defer r.Close()
		return p.delta.Apply(ctx, r, bases, f, p.layer.Size)
	})
	if err == nil {
		s.blobs[p.layer.Digest] = f
	}
	return f, err
}

// fill makes a file without a name.
func (s *Source) fill(content func(*os.File) error) (*os.File, error) {
	f, err := s.temp()
	if err != nil {
		return nil, fmt.Errorf("cannot make a temporary file: %w", err)
	}
	if err := content(f); err != nil {
		f.Close()
		return nil, s.explain(err)
	}
	return f, nil
}

// explain says what to do where the folder for temporary files has no more room.
// Others chose their folder.
func (s *Source) explain(err error) error {
	if s.dir == "" && atomicfile.NoSpace(err) {
		return fmt.Errorf("%w; layers are unpacked in %q, and TMPDIR names another folder for that", err, os.TempDir())
	}
	return err
}

func (s *Source) temp() (*os.File, error) {
	if s.dir != "" {
		if err := os.MkdirAll(s.dir, 0o777); err != nil {
			return nil, err
		}
	}
	f, err := os.CreateTemp(s.dir, atomicfile.Prefix+"*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) { // another run may sweep the folder
		f.Close()
		return nil, err
	}
	return f, nil
}
