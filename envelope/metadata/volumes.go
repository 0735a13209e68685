package metadata

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"github.com/flotobuild/flotobuild/internal/regular"
	"github.com/flotobuild/flotobuild/internal/verify"
)

// volumes follows files that may arrive late. A file that appears or changes
// while the loader runs counts when it was the same at two scans, since it may
// still be copied; what is there at the first scan counts at once.
type volumes struct {
	dir     string
	named   map[string]string
	scanned bool
	known   map[string]*volumeFile
}

type volumeFile struct {
	seen   os.FileInfo // at the last scan
	failed os.FileInfo // could not be read as it is
	told   string      // the last error, which is reported once
	ready  *Volume
}

// scan looks at the files of all volumes, and tells whether one arrived, changed
// or went away.
func (v *volumes) scan(ctx context.Context, ids []string) (changed bool, errs []error) {
	if v.known == nil {
		v.known = make(map[string]*volumeFile)
	}
	for _, id := range ids {
		path := v.path(id)
		if path == "" {
			continue
		}
		f := v.known[id]
		if f == nil {
			f = new(volumeFile)
			v.known[id] = f
		}
		c, err := f.scan(ctx, path, !v.scanned)
		changed = changed || c
		if text := message(err); text != f.told {
			if f.told = text; err != nil {
				errs = append(errs, err)
			}
		}
	}
	v.scanned = true
	return changed, errs
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// path gives the file of a volume. Only UUIDs become names of files.
func (v *volumes) path(id string) string {
	if path := v.named[id]; path != "" {
		return path
	}
	if parsed, err := uuid.Parse(id); err != nil || parsed.String() != id || v.dir == "" {
		return ""
	}
	return filepath.Join(v.dir, id)
}

func (f *volumeFile) scan(ctx context.Context, path string, first bool) (bool, error) {
	info, err := os.Stat(path)
	if err != nil {
		had := f.ready != nil
		f.seen, f.ready = nil, nil
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return had, err
	}
	settled := first || same(info, f.seen)
	f.seen = info
	if f.ready != nil && same(info, f.ready.Info) {
		return false, nil
	}
	if same(info, f.failed) {
		return false, errors.New(f.told)
	}
	had := f.ready != nil
	f.ready = nil
	if !settled {
		return had, nil
	}
	f.ready, err = hash(ctx, path)
	if err != nil && !errors.Is(err, errChanged) {
		f.failed = info
		return had, err
	}
	return had || f.ready != nil, nil
}

// hash reads a volume once, in pieces.
func hash(ctx context.Context, path string) (*Volume, error) {
	f, before, err := regular.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read volume %q: %w", path, err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := verify.Copy(ctx, sum, f); err != nil {
		return nil, fmt.Errorf("cannot read volume %q: %w", path, err)
	}
	after, err := os.Stat(path)
	if err != nil || !same(before, after) {
		return nil, errChanged
	}
	return &Volume{Path: path, SHA256: hex.EncodeToString(sum.Sum(nil)), Info: before}, nil
}

// ready gives the volumes that have arrived.
func (v *volumes) ready() map[string]*Volume {
	out := make(map[string]*Volume)
	for id, f := range v.known {
		if f.ready != nil {
			out[id] = f.ready
		}
	}
	return out
}
