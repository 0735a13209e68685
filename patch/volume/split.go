package volume

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
)

// Options are what Split, Join and Verify may be given besides.
type Options struct {
	// Progress gets the bytes that have been dealt with; nil for nobody.
	Progress io.Writer
}

func (o Options) progress() io.Writer {
	if o.Progress == nil {
		return io.Discard
	}
	return o.Progress
}

// A Splitter writes the volumes of one file. They have their content after
// Split, and get their names with Publish and not before. Abort, or a failure,
// leaves nothing. Its methods are not safe for concurrent use.
type Splitter struct {
	layout *Layout
	dir    string
	files  []*atomicfile.File
	index  *Index
	id     string
}

// Split writes the volumes of the file r into the folder dir, which must exist,
// and removes what killed writers left there. The file is read once. Volumes
// that stand there already are replaced when they are of the same set; all else
// is left as it is, and is an error.
func Split(ctx context.Context, r io.ReaderAt, l *Layout, dir string, o Options) (*Splitter, error) {
	s := &Splitter{layout: l, dir: dir}
	if err := s.split(ctx, r, o.progress()); err != nil {
		s.Abort()
		return nil, fmt.Errorf("cannot split %q: %w", l.Name, err)
	}
	return s, nil
}

func (s *Splitter) split(ctx context.Context, r io.ReaderAt, count io.Writer) error {
	if err := s.layout.check(); err != nil {
		return err
	}
	if err := s.checkTargets(func(t *trailer) bool { return t.index.Layout == *s.layout }); err != nil {
		return err
	}
	if _, err := atomicfile.Sweep(s.dir); err != nil {
		return err
	}
	if err := checkSpace(s.dir, s.layout.Total()); err != nil {
		return err
	}
	for range s.layout.Volumes() {
		f, err := atomicfile.Create(s.dir, 0o666)
		if err != nil {
			return err
		}
		s.files = append(s.files, f)
	}
	s.index = newIndex(s.layout)
	if err := s.writeData(ctx, r, count); err != nil {
		return err
	}
	if err := s.writeParity(ctx, count); err != nil {
		return err
	}
	return s.writeTrailers()
}

// checkTargets refuses to take the names of other files.
func (s *Splitter) checkTargets(same func(*trailer) bool) error {
	for n := range s.layout.Volumes() {
		path := s.path(n)
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		t, err := readVolume(path, make(map[string]*Index))
		if err != nil || !same(t) {
			return fmt.Errorf("%q %w and is no volume of this file and size", path, fs.ErrExist)
		}
	}
	return nil
}

func (s *Splitter) path(n int) string { return filepath.Join(s.dir, s.layout.FileName(n)) }

// writeData copies the file into the data volumes.
func (s *Splitter) writeData(ctx context.Context, r io.ReaderAt, count io.Writer) error {
	whole := sha256.New()
	for n := range s.layout.Data {
		part := io.NewSectionReader(r, int64(n)*s.layout.Payload, s.layout.payload(n))
		if err := s.writePart(ctx, n, part, whole, count); err != nil {
			return err
		}
	}
	s.index.SHA256 = sum(whole)
	return nil
}

func (s *Splitter) writePart(ctx context.Context, n int, part *io.SectionReader, whole hash.Hash, count io.Writer) error {
	h := sha256.New()
	var size int64
	err := stream(ctx, part, func(p []byte) error {
		both(whole, h, p)
		size += int64(len(p))
		if _, err := s.files[n].Write(p); err != nil {
			return fmt.Errorf("cannot write %q: %w", s.path(n), bare(err))
		}
		_, err := count.Write(p)
		return err
	})
	if err == nil && size < part.Size() {
		err = errors.New("the file has become shorter meanwhile")
	}
	s.index.Digests[n] = sum(h)
	return err
}

// writeTrailers ends every volume with the index.
func (s *Splitter) writeTrailers() error {
	index := s.index.encode()
	digest := sha256.Sum256(index)
	s.id = fmt.Sprintf("%x", digest)
	for n, f := range s.files {
		if _, err := f.Write(s.index.appendTrailer(index, n)); err != nil {
			return fmt.Errorf("cannot write %q: %w", s.path(n), bare(err))
		}
	}
	return nil
}

// Index is that of the volumes.
func (s *Splitter) Index() *Index { return s.index }

// Paths are the volumes' paths after Publish.
func (s *Splitter) Paths() []string {
	var out []string
	for n := range s.layout.Volumes() {
		out = append(out, s.path(n))
	}
	return out
}

// Publish gives all volumes their names, the first one last: where a kill comes
// between, the set has no beginning. When one fails, those before it are taken
// back.
func (s *Splitter) Publish() error {
	defer s.Abort()
	if err := s.checkTargets(func(t *trailer) bool { return t.id == s.id }); err != nil {
		return fmt.Errorf("cannot split %q: %w", s.layout.Name, err)
	}
	var made []string
	for n := range slices.Backward(s.files) {
		fresh, err := s.publish(n)
		if err != nil {
			for _, path := range made {
				err = errors.Join(err, os.Remove(path))
			}
			return err
		}
		if fresh {
			made = append(made, s.path(n))
		}
	}
	return nil
}

// publish names a volume, and says whether there was none of that name.
func (s *Splitter) publish(n int) (bool, error) {
	path := s.path(n)
	if _, err := os.Lstat(path); err == nil {
		return false, s.files[n].Replace(path)
	}
	return true, s.files[n].Publish(path)
}

// Abort removes what has no name yet.
func (s *Splitter) Abort() {
	for _, f := range s.files {
		f.Abort()
	}
}
