package store

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
)

// maxIndex bounds index.json, in bytes.
const maxIndex = 64 << 20

// Images gives the entries of index.json. An entry's name is its annotation
// org.opencontainers.image.ref.name.
func (s *Store) Images() ([]ocispec.Descriptor, error) {
	b, err := readFile(s.path(ocispec.ImageIndexFile), maxIndex)
	if err != nil {
		return nil, fmt.Errorf("cannot read the store's index: %w", err)
	}
	var i ocispec.Index
	if err := json.Unmarshal(b, &i); err != nil {
		return nil, fmt.Errorf("cannot parse %q: %w", s.path(ocispec.ImageIndexFile), err)
	}
	return i.Manifests, nil
}

// SetImage makes name stand for the manifest or index desc, in place of what
// it stood for.
func (s *Store) SetImage(ctx context.Context, name string, desc ocispec.Descriptor) error {
	desc.Annotations = maps.Clone(desc.Annotations)
	if desc.Annotations == nil {
		desc.Annotations = make(map[string]string)
	}
	desc.Annotations[ocispec.AnnotationRefName] = name
	return s.update(ctx, func(all []ocispec.Descriptor) []ocispec.Descriptor {
		return append(without(all, name), desc)
	})
}

// RemoveImage takes name off the index; the blobs stay.
func (s *Store) RemoveImage(ctx context.Context, name string) error {
	return s.update(ctx, func(all []ocispec.Descriptor) []ocispec.Descriptor { return without(all, name) })
}

func without(all []ocispec.Descriptor, name string) []ocispec.Descriptor {
	return slices.DeleteFunc(all, func(d ocispec.Descriptor) bool { return refName(d) == name })
}

func refName(d ocispec.Descriptor) string { return d.Annotations[ocispec.AnnotationRefName] }

// lockPoll is how often a held lock is tried again.
const lockPoll = 20 * time.Millisecond

// update changes index.json.
func (s *Store) update(ctx context.Context, change func([]ocispec.Descriptor) []ocispec.Descriptor) error {
	unlock, err := s.lockIndex(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	all, err := s.Images()
	if err != nil {
		return err
	}
	return s.writeIndex(change(all))
}

// lockIndex keeps other processes from changing the index.
func (s *Store) lockIndex(ctx context.Context) (unlock func(), err error) {
	lock := flock.New(s.path(".flotobuild.lock"))
	if _, err := lock.TryLockContext(ctx, lockPoll); err != nil {
		return nil, fmt.Errorf("cannot lock the store: %w", err)
	}
	return func() { _ = lock.Close() }, nil
}

func (s *Store) writeIndex(all []ocispec.Descriptor) error {
	slices.SortStableFunc(all, func(a, b ocispec.Descriptor) int { return strings.Compare(refName(a), refName(b)) })
	b, _ := NewIndex(all)
	return atomicfile.WriteFile(s.path(ocispec.ImageIndexFile), b, 0o666)
}

// ReplaceImages puts entries, which have their names already, in place of all
// that the index has. What the index was before does not matter.
func (s *Store) ReplaceImages(ctx context.Context, entries []ocispec.Descriptor) error {
	unlock, err := s.lockIndex(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return s.writeIndex(slices.Clone(entries))
}
