package site

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/opencontainers/go-digest"
)

// A Damage is a blob that is missing, or was damaged on the disk.
type Damage struct {
	Digest digest.Digest `json:"digest"`
	Size   int64         `json:"size"`  // bytes that it should have
	Error  string        `json:"error"` // what is wrong
	// Patches are the ids of those that need it.
	Patches []string `json:"patches"`
}

// Check reads every blob that a patch needs and compares its digest. Damaged
// ones are set aside, so that importing one of their patches again mends the
// store. progress, which may be nil, is told how many bytes are checked, and
// how many there are.
func (s *Site) Check(ctx context.Context, progress func(done, total int64)) ([]Damage, error) {
	found, err := s.check(ctx, progress)
	if err != nil {
		return nil, fmt.Errorf("cannot check the store of site %q: %w", s.Name(), err)
	}
	return found, nil
}

func (s *Site) check(ctx context.Context, progress func(done, total int64)) ([]Damage, error) {
	wanted, total, err := s.wanted()
	if err != nil {
		return nil, err
	}
	found := []Damage{}
	var done int64
	for _, d := range slices.Sorted(maps.Keys(wanted)) {
		w := wanted[d]
		err := s.blobs.Check(ctx, d, w.Size)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if path := (*fs.PathError)(nil); errors.As(err, &path) && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err != nil {
			w.Error = err.Error()
			found = append(found, *w)
		}
		if done += w.Size; progress != nil {
			progress(done, total)
		}
	}
	return found, nil
}

// wanted gives the blobs of all patches, as damages without an error, and their
// bytes.
func (s *Site) wanted() (map[digest.Digest]*Damage, int64, error) {
	records, err := s.records()
	if err != nil {
		return nil, 0, err
	}
	var total int64
	out := make(map[digest.Digest]*Damage)
	for _, r := range records {
		all, err := s.readNeeds(r.ID)
		if err != nil {
			return nil, 0, err
		}
		for _, n := range all {
			if out[n.Digest] == nil {
				out[n.Digest] = &Damage{Digest: n.Digest, Size: n.Size}
				total += n.Size
			}
			out[n.Digest].Patches = append(out[n.Digest].Patches, r.ID)
		}
	}
	return out, total, nil
}
