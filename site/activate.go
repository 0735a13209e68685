package site

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Activate makes a patch the active one, in one step, after it has compiled one
// with variables of the site: the error where values are missing or do not fit is
// a *VarsError. The one that was active stays for Rollback. Where the patch is
// active already nothing changes, unless these values have. by says who does it,
// for the history. Containers are not touched.
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
	if err != nil {
		return err
	}
	if a.ID == id {
		if changed, err := s.varsChanged(a); err != nil || !changed {
			return err
		}
		return s.switchTo(Event{Action: ActionActivate, By: by, Patch: id, Detail: "with changed values"}, a, a.Previous)
	}
	previous := slices.DeleteFunc(slices.Clone(a.Previous), func(o string) bool { return o == id })
	if a.ID != "" {
		previous = append([]string{a.ID}, previous...)
	}
	return s.switchTo(Event{Action: ActionActivate, By: by, Patch: id, From: a.ID}, a, previous)
}

// Rollback activates the patch that was active before, or the one of id, and
// gives its id. Where id is empty the patch comes from the order of activations:
// rolling back again goes further back. A patch with variables of the site is
// compiled again; where that cannot be done any more, it comes back with the values
// of its last activation.
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
	return id, s.switchTo(Event{Action: ActionRollback, By: by, Patch: id, From: a.ID}, a, a.Previous[n+1:])
}

// switchTo replaces the pointer a, after it has seen that the patch is whole. The
// caller holds the lock.
func (s *Site) switchTo(e Event, a activation, previous []string) error {
	p, err := s.openPatch(e.Patch)
	if err != nil {
		return err
	}
	if err := s.checkWhole(p); err != nil {
		return err
	}
	e.Time = orNow(time.Time{})
	next := activation{ID: e.Patch, DescriptionDigest: p.Header.Digest, Since: e.Time, By: e.By, Previous: previous}
	if next.Compiled, err = s.compilations(&e, p, a); err != nil {
		return errors.Join(err, s.pruneCompilations())
	}
	if err := s.commit(e, func() error { return s.writeActive(next) }); err != nil {
		return err
	}
	_ = s.pruneCompilations() // or the next writer does it
	return nil
}

// compilations compiles the patch where it has variables of the site, and keeps
// what others were compiled to: hosts may run them still. A Rollback that
// cannot be compiled takes what there is, and says so in the event.
func (s *Site) compilations(e *Event, p *Patch, a activation) (map[string]string, error) {
	out := make(map[string]string)
	for id, name := range a.Compiled {
		if s.listed(id) {
			out[id] = name
		}
	}
	c, err := s.compile(p)
	values := (*VarsError)(nil)
	switch kept := a.Compiled[p.ID]; {
	case errors.As(err, &values) && e.Action == ActionRollback && kept != "":
		e.Detail = "with the values of its last activation"
		out[p.ID] = kept
		return out, nil
	case err != nil:
		return nil, err
	case c == nil:
		return out, nil
	}
	out[p.ID], err = c.write(s)
	return out, err
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
