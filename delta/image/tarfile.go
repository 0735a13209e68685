package image

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/store"
)

// maxEntries bounds the entries of an archive: images have some hundred layers.
const maxEntries = 100_000

// A span is where a file stands in an archive.
type span struct {
	offset, size int64
	link         string // of links: the file that is meant
}

// A tarfile is an uncompressed tar that is read in place. As an OCI layout it is
// a store.Source.
type tarfile struct {
	f     *os.File
	size  int64
	files map[string]span
}

// indexTar finds the files of a tar. Names that stand twice are refused: tools
// differ in which one counts.
func indexTar(ctx context.Context, f *os.File, size int64) (*tarfile, error) {
	t := &tarfile{f: f, size: size, files: make(map[string]span)}
	section := io.NewSectionReader(f, 0, size)
	r := tar.NewReader(section)
	for n := 0; ; n++ {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil {
			return nil, err
		}
		if n == maxEntries {
			return nil, fmt.Errorf("it has more than %d entries", maxEntries)
		}
		at, err := section.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		name := path.Clean(h.Name)
		s := span{offset: at, size: h.Size}
		switch h.Typeflag {
		case tar.TypeReg:
		case tar.TypeSymlink:
			s = span{link: path.Join(path.Dir(name), h.Linkname)}
		case tar.TypeLink:
			s = span{link: path.Clean(h.Linkname)}
		default:
			continue
		}
		if _, ok := t.files[name]; ok {
			return nil, fmt.Errorf("the entry %q stands twice", name)
		}
		t.files[name] = s
	}
}

// open gives a file, behind at most one link: docker archives of old link layers
// that several images have.
func (t *tarfile) open(name string) (*io.SectionReader, error) {
	s, ok := t.files[path.Clean(name)]
	if ok && s.link != "" {
		s, ok = t.files[s.link]
	}
	if !ok || s.link != "" {
		return nil, fmt.Errorf("it has no file %q: %w", name, fs.ErrNotExist)
	}
	return io.NewSectionReader(t.f, s.offset, s.size), nil
}

// document reads a small file.
func (t *tarfile) document(name string) ([]byte, error) {
	r, err := t.open(name)
	if err != nil {
		return nil, err
	}
	if r.Size() > maxDocument {
		return nil, fmt.Errorf("its file %q has more than %d bytes", name, maxDocument)
	}
	return io.ReadAll(r)
}

// has tells whether a file is there.
func (t *tarfile) has(name string) bool {
	_, ok := t.files[name]
	return ok
}

type sectionBlob struct{ *io.SectionReader }

// Close implements store.Blob.
func (sectionBlob) Close() error { return nil }

// Blob implements store.Source.
func (t *tarfile) Blob(_ context.Context, d digest.Digest) (store.Blob, error) {
	if err := d.Validate(); err != nil {
		return nil, fmt.Errorf("cannot open blob %q: %w", d, err)
	}
	r, err := t.open(blobName(d))
	if err != nil {
		return nil, fmt.Errorf("cannot open blob %q: %w", d, err)
	}
	return sectionBlob{r}, nil
}

func blobName(d digest.Digest) string {
	return path.Join(ocispec.ImageBlobsDir, d.Algorithm().String(), d.Encoded())
}

// maxDocument bounds manifests, configs and indexes, in bytes.
const maxDocument = 8 << 20
