package patch

import (
	"context"
	"io"

	"github.com/flotobuild/flotobuild/patch/volume"
)

// Volumes say how a patch file is split for media. The zero value is one file.
type Volumes struct {
	Size   int64 // bytes of a volume; 0 for one file
	Parity int   // volumes of parity
}

// Layout splits a file of size bytes. It is nil for one file: also where the
// patch fits on one medium and there is no parity to go beside it.
func (v Volumes) Layout(name string, size int64) (*volume.Layout, error) {
	if v.Size == 0 || v.Parity == 0 && size <= v.Size {
		return nil, nil
	}
	return volume.NewLayout(name, size, v.Size, v.Parity)
}

// Count is the number of volumes of a file; 0 for one that is not split.
func (v Volumes) Count(name string, size int64) (int, error) {
	l, err := v.Layout(name, size)
	if l == nil || err != nil {
		return 0, err
	}
	return l.Volumes(), nil
}

// Split finishes the file and writes its volumes, which Publish names instead
// of it. Bytes that are dealt with are written to progress, too, unless it is
// nil.
func (w *Writer) Split(ctx context.Context, v Volumes, progress io.Writer) error {
	if err := w.Finish(); err != nil {
		return err
	}
	l, err := v.Layout(w.name, w.Size())
	if l == nil || err != nil {
		return err
	}
	var stored io.ReaderAt = w.f
	if s, ok := w.f.(sealed); ok {
		if err := s.Close(); err != nil {
			return err
		}
		stored = s.file
	}
	w.volumes, err = volume.Split(ctx, stored, l, w.dir, volume.Options{Progress: progress})
	return err
}

// Paths are where the file, or its volumes, stand after Publish.
func (w *Writer) Paths() []string {
	if w.volumes == nil {
		return []string{w.Path()}
	}
	return w.volumes.Paths()
}

// Volumes is the index of the volumes; nil for one file.
func (w *Writer) Volumes() *volume.Index {
	if w.volumes == nil {
		return nil
	}
	return w.volumes.Index()
}
