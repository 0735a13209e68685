package site

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Activate makes a patch the active one, in one step. The one that was active
// stays for Rollback. Where the patch is active already nothing changes. by
// says who does it, for the history. Containers are not touched.
func (s *Site) Activate(ctx context.Context, id, by string) error {
	if err := s.activate(ctx, id, by); err != nil {
		return fmt.Errorf("cannot activate patch %q: %w", id, err)
	}
	return nil
}

func (s *Site) activate(ctx context.Context, id, by string) (err error) {
	unlock, err := s.Lock(ctx, "activation of "+id)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	a, err := s.readActive()
	if err != nil || a.ID == id {
		return err
	}
	previous := slices.DeleteFunc(slices.Clone(a.Previous), func(o string) bool { return o == id })
	if a.ID != "" {
		previous = append([]string{a.ID}, previous...)
	}
	return s.switchTo(ActionActivate, id, by, a.ID, previous)
}

// Rollback activates the patch that was active before, or the one of id, and
// gives its id. Where id is empty the patch comes from the order of activations:
// rolling back again goes further back.
func (s *Site) Rollback(ctx context.Context, id, by string) (string, error) {
	got, err := s.rollback(ctx, id, by)
	if err != nil {
		return "", fmt.Errorf("cannot roll back: %w", err)
	}
	return got, nil
}

func (s *Site) rollback(ctx context.Context, id, by string) (_ string, err error) {
	unlock, err := s.Lock(ctx, "rollback")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	a, err := s.readActive()
	if err != nil {
		return "", err
	}
	if id == "" && a.ID == "" {
		return "", ErrNoActive
	}
	if id == "" {
		id = s.previous(a)
	}
	if id == "" {
		return "", fmt.Errorf("no patch was active before %q that the site still has", a.ID)
	}
	n := slices.Index(a.Previous, id)
	if n < 0 {
		return "", fmt.Errorf("patch %q was not active before: activate it instead", id)
	}
	return id, s.switchTo(ActionRollback, id, by, a.ID, a.Previous[n+1:])
}

// switchTo replaces the pointer, after it has seen that the patch is whole. The
// caller holds the lock.
func (s *Site) switchTo(action, id, by, from string, previous []string) error {
	p, err := s.openPatch(id)
	if err != nil {
		return err
	}
	if err := s.checkWhole(p); err != nil {
		return err
	}
	e := Event{Time: orNow(time.Time{}), Action: action, By: by, Patch: id, From: from}
	return s.commit(e, func() error {
		return s.writeActive(activation{ID: id, DescriptionDigest: p.Header.Digest, Since: e.Time, By: by, Previous: previous})
	})
}

// checkWhole checks that the manifest agrees with the patch, and that all blobs
// are there.
func (s *Site) checkWhole(p *Patch) error {
	if m := p.Manifest; m != nil {
		images := p.Header.Description.ImageMap
		for _, c := range m.Containers {
			if string(images[c.Image]) != c.ImageID {
				return fmt.Errorf("its manifest gives container %q the image %q, which is not the %q of the patch", c.Name, c.ImageID, c.Image)
			}
		}
	}
	all, err := needs(p.Header.Description)
	if err != nil {
		return err
	}
	missing, err := s.lacking(all)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return &DamagedError{Patch: p.ID, Missing: len(missing), First: missing[0].Digest, Image: missing[0].image}
	}
	return nil
}
