package facts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/opencontainers/go-digest"

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
	s, err := planner.DecodeSealed(b)
	if err != nil {
		return nil, false, nil
	}
	for _, f := range s.Files {
		same, err := w.same(ctx, path.Join(folder, f.Path), f.Digest, f.Size)
		if err != nil || !same {
			return s, false, err
		}
	}
	return s, len(s.Files) > 0, nil
}

// same compares a file with what is recorded of it. One that cannot be read is
// another.
func (w *Workspace) same(ctx context.Context, name string, d digest.Digest, size int64) (bool, error) {
	have, n, err := w.File(ctx, name)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	return err == nil && have == d && n == size, nil
}

// Volume implements planner.EnvelopeFacts. A damaged record is as good as none.
func (w *Workspace) Volume(ctx context.Context, id string) (*planner.VolumeRecord, bool, error) {
	file := planner.VolumeFile(id)
	b, _, err := w.small(file+planner.RecordSuffix, maxSmall)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	r, err := planner.DecodeVolumeRecord(b)
	if err != nil {
		return nil, false, nil
	}
	same, err := w.same(ctx, file, r.Digest, r.Size)
	return r, same, err
}

// Strays implements planner.EnvelopeFacts.
func (w *Workspace) Strays(ctx context.Context, known func(string) bool) ([]planner.Stray, error) {
	var out []planner.Stray
	envelopes, err := w.names(planner.EnvelopesDir, true)
	if err != nil {
		return nil, err
	}
	for _, e := range envelopes {
		devices, err := w.names(path.Join(planner.EnvelopesDir, e), true)
		if err != nil {
			return nil, err
		}
		for _, d := range devices {
			folder := planner.EnvelopeFolder(e, d)
			if known(folder) {
				continue
			}
			last, intact, err := w.Sealed(ctx, folder)
			if err != nil {
				return nil, err
			}
			if last != nil {
				out = append(out, planner.Stray{Path: folder, Kept: !intact || !w.only(folder, last)})
			}
		}
	}
	volumes, err := w.names(planner.VolumesDir, false)
	if err != nil {
		return nil, err
	}
	for _, id := range volumes {
		if known(planner.VolumeFile(id)) {
			continue
		}
		last, intact, err := w.Volume(ctx, id)
		if err != nil {
			return nil, err
		}
		if last != nil {
			out = append(out, planner.Stray{Path: planner.VolumeFile(id), Kept: !intact})
		}
	}
	return out, nil
}

// names lists the folders in a folder, or all else; one that is missing has
// nothing. Hidden names are those of outputs that are being written.
func (w *Workspace) names(dir string, folders bool) ([]string, error) {
	entries, err := os.ReadDir(w.path(dir))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot list %q: %w", dir, bare(err))
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() == folders && !strings.HasPrefix(e.Name(), ".") {
			out = append(out, e.Name())
		}
	}
	return out, nil
}

// only says that a folder holds nothing beyond an output.
func (w *Workspace) only(folder string, s *planner.Sealed) bool {
	entries, err := os.ReadDir(w.path(folder))
	return err == nil && len(entries) == len(s.Files)+1
}
