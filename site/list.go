package site

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
)

// An Entry is one patch of the site.
type Entry struct {
	Record
	Active bool `json:"active"`
	// Rollback marks the patch before the active one.
	Rollback bool `json:"rollback"`
}

// List gives the patches, the newest first.
func (s *Site) List(ctx context.Context) ([]Entry, error) {
	entries, err := s.list(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the patches of site %q: %w", s.Name(), err)
	}
	return entries, nil
}

func (s *Site) list(ctx context.Context) ([]Entry, error) {
	records, err := s.records()
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	a, err := s.readActive()
	if err != nil {
		return nil, err
	}
	back := s.previous(a)
	out := make([]Entry, 0, len(records))
	for _, r := range records {
		out = append(out, Entry{*r, r.ID == a.ID, r.ID == back})
	}
	slices.SortFunc(out, func(x, y Entry) int { return -older(&x.Record, &y.Record) })
	return out, nil
}

// older orders patches as patch.Older does.
func older(a, b *Record) int {
	return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.ID, b.ID))
}
