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
	e := Event{Action: ActionActivate, By: by, Patch: id, From: a.ID}
	if a.ID == id {
		if changed, err := s.varsChanged(a); err != nil || !changed {
			return err
		}
		e.Detail = "with changed values"
		return s.switchTo(e, a, s.withActive(a), "")
	}
	return s.switchTo(e, a, s.withActive(a, id), "")
}

// withActive gives what was active before, with what is now in front, and without
// a patch that is to be active next.
func (s *Site) withActive(a activation, next ...string) []Ref {
	out := slices.DeleteFunc(slices.Clone(a.Previous), func(r Ref) bool { return slices.Contains(next, r.Patch) })
	if a.ID == "" || a.Values != "" && !s.compiledThere(a.Values) {
		return out // a compilation that was lost is nothing to go back to
	}
	return append([]Ref{a.ref()}, out...)
}

// Rollback activates what was active before, or the patch of id as it was active
// last, and gives the patch's id. Where id is empty, it comes from the order of
// activations: rolling back again goes further back, and the activation of a
// patch with changed values is one of them. A patch with variables of the site
// comes back with the values that it had; the site's values stay as they are set.
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
	n := slices.IndexFunc(a.Previous, func(r Ref) bool { return r.Patch == id || id == "" && s.has(r.Patch) })
	switch {
	case n < 0 && id == "":
		return "", fmt.Errorf("no patch was active before %q that the site still has", a.ID)
	case n < 0 && id == a.ID && a.Values == "":
		return "", fmt.Errorf("patch %q is the active one", id)
	case n < 0 && id == a.ID:
		return "", fmt.Errorf("patch %q is active, and was not with other values before", id)
	case n < 0:
		return "", fmt.Errorf("patch %q was not active before: activate it instead", id)
	}
	to := a.Previous[n]
	return to.Patch, s.switchTo(Event{Action: ActionRollback, By: by, Patch: to.Patch, From: a.ID}, a, a.Previous[n+1:], to.Values)
}

// Return activates exactly what was deployed before, with the values that it had,
// whether it comes next in the order of activations, later, or not at all.
func (s *Site) Return(ctx context.Context, to Ref, by string) error {
	if err := s.returnTo(ctx, to, by); err != nil {
		return fmt.Errorf("cannot go back to patch %q: %w", to.Patch, err)
	}
	return nil
}

func (s *Site) returnTo(ctx context.Context, to Ref, by string) (err error) {
	unlock, err := s.Lock(ctx, "rollback")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	a, err := s.readActive()
	if err != nil {
		return err
	}
	e := Event{Action: ActionRollback, By: by, Patch: to.Patch, From: a.ID}
	n := slices.IndexFunc(a.Previous, func(r Ref) bool { return r.Patch == to.Patch && (r.Values == to.Values || to.Values == "") })
	switch {
	case to == a.ref():
		return nil
	case n >= 0:
		return s.switchTo(e, a, a.Previous[n+1:], a.Previous[n].Values)
	}
	e.Action = ActionActivate // it was deployed, and is not in the order any more
	return s.switchTo(e, a, s.withActive(a, to.Patch), to.Values)
}

// switchTo replaces the pointer a, after it has seen that the patch is whole.
// values name the compilation that is to be active; where they are empty, or it is
// lost, the patch is compiled with the values of now. The caller holds the lock.
func (s *Site) switchTo(e Event, a activation, previous []Ref, values string) error {
	p, err := s.openPatch(e.Patch)
	if err != nil {
		return err
	}
	if err := s.checkWhole(p); err != nil {
		return err
	}
	if e.Time = orNow(time.Time{}); e.From == e.Patch {
		e.From = "" // it changes its values alone
	}
	next := activation{ID: e.Patch, DescriptionDigest: p.Header.Digest, Since: e.Time, By: e.By, Previous: previous}
	next.Kept = slices.Concat([]Ref{a.ref()}, a.Kept, a.Previous)
	if values != "" && s.compiledThere(values) {
		next.Values = values
		if changed, err := s.varsChanged(next); err == nil && changed {
			e.Detail = "with the values of then"
		}
	} else if next.Values, err = s.compileNow(p, a); err != nil {
		return errors.Join(err, s.pruneCompilations())
	}
	if err := s.commit(e, func() error { return s.writeActive(next) }); err != nil {
		return err
	}
	_ = s.pruneCompilations() // or the next writer does it
	return nil
}

// compileNow compiles the patch with the values of now, and gives the name of the
// compilation: an old one where it is the same. It is empty for a patch without
// variables of the site.
func (s *Site) compileNow(p *Patch, a activation) (string, error) {
	c, err := s.compile(p)
	if err != nil || c == nil {
		return "", err
	}
	for _, r := range a.refs() {
		if r.Patch == p.ID && r.Values != "" && c.is(s, r.Values) {
			return r.Values, nil
		}
	}
	return c.write(s)
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
