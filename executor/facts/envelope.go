package facts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/flotobuild/flotobuild/internal/regular"
	"github.com/flotobuild/flotobuild/planner"
)

// Bounds of what is read into memory, in bytes.
const (
	maxSmall  = 256 << 10
	maxSealed = 16 << 20
)

var _ planner.EnvelopeFacts = (*Workspace)(nil)

// Small implements planner.EnvelopeFacts.
func (w *Workspace) Small(_ context.Context, name string) ([]byte, fs.FileMode, error) {
	return w.small(name, maxSmall)
}

func (w *Workspace) small(name string, most int64) ([]byte, fs.FileMode, error) {
	f, info, err := regular.Open(w.path(name))
	if err != nil {
		return nil, 0, fmt.Errorf("cannot read %q: %w", name, bare(err))
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("it has more than %d bytes", most)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("cannot read %q: %w", name, bare(err))
	}
	return b, info.Mode(), nil
}

// Sealed implements planner.EnvelopeFacts. A damaged record is as good as none.
func (w *Workspace) Sealed(ctx context.Context, folder string) (*planner.Sealed, bool, error) {
	b, _, err := w.small(path.Join(folder, planner.SealedFile), maxSealed)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	var s planner.Sealed
	if err := json.Unmarshal(b, &s); err != nil || s.FormatVersion != planner.SealedVersion {
		return nil, false, nil
	}
	for _, f := range s.Files {
		if path.Base(f.Path) != f.Path {
			return nil, false, nil
		}
		d, size, err := w.File(ctx, path.Join(folder, f.Path))
		if ctx.Err() != nil {
			return nil, false, ctx.Err()
		}
		if err != nil || d != f.Digest || size != f.Size {
			return &s, false, nil
		}
	}
	return &s, len(s.Files) > 0, nil
}
