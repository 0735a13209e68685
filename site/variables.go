package site

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/flotobuild/flotobuild/lang"
)

// A Variable is a value that only the site knows, as a patch declares it or as it
// was set.
type Variable struct {
	lang.ManifestVariable // of the newest of Patches; without type where no patch needs it
	// Patches are those that need it, of the active patch, the newest one and those
	// that were asked for: their ids, the active one first.
	Patches []string `json:"patches"`
	Set     bool     `json:"set"`
	// Value is empty for what must not be shown: sensitive values, and those of
	// which no patch says that they are not.
	Value string `json:"value,omitempty"`
}

// Missing says that a patch needs the variable and the site has no value.
func (v *Variable) Missing() bool { return v.Required && !v.Set }

// Variables lists what the active patch, the newest one and those of the ids also
// need, and what was set besides, by name.
func (s *Site) Variables(ctx context.Context, also ...string) ([]Variable, error) {
	out, err := s.variables(ctx, also)
	if err != nil {
		return nil, fmt.Errorf("cannot list the variables of site %q: %w", s.Name(), err)
	}
	return out, nil
}

func (s *Site) variables(ctx context.Context, also []string) ([]Variable, error) {
	values, err := s.readVars()
	if err != nil {
		return nil, err
	}
	ids, err := s.current(ctx, also)
	if err != nil {
		return nil, err
	}
	all := make(map[string]*Variable)
	for _, id := range ids {
		p, err := s.openPatch(id)
		if missing := (*MissingPatchError)(nil); errors.As(err, &missing) {
			continue // collected meanwhile
		}
		if err != nil {
			return nil, err
		}
		if p.Manifest != nil {
			declare(all, p)
		}
	}
	out := []Variable{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		v := all[name]
		if v == nil {
			v = &Variable{ManifestVariable: lang.ManifestVariable{Name: name}, Patches: []string{}}
			all[name] = v
		}
		if v.Set = true; v.Type != "" && !v.Sensitive {
			v.Value = values[name]
		}
	}
	for _, v := range all {
		out = append(out, *v)
	}
	slices.SortFunc(out, func(a, b Variable) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// current gives the ids of the active patch, of the newest one, and of those
// asked for: the active one first, and of the others the newest last.
func (s *Site) current(ctx context.Context, also []string) ([]string, error) {
	all, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	var active, out []string
	for n, e := range all {
		switch {
		case e.Active:
			active = []string{e.ID}
		case n == 0, slices.Contains(also, e.ID):
			out = append(out, e.ID)
		}
	}
	slices.Reverse(out)
	return append(active, out...), nil
}

// declare adds what a patch needs. What one patch says is sensitive is so.
func declare(all map[string]*Variable, p *Patch) {
	for _, m := range p.Manifest.SiteVariables {
		v := all[m.Name]
		if v == nil {
			v = &Variable{}
			all[m.Name] = v
		}
		sensitive, required := v.Sensitive || m.Sensitive, v.Required || m.Required
		v.ManifestVariable = m
		v.Sensitive, v.Required = sensitive, required
		v.Patches = append(v.Patches, p.ID)
	}
}

// A ValueError says that a value does not fit its variable, or that neither name
// nor value can be taken at all. It holds no secret.
type ValueError struct{ Reason error }

// Error gives the reason.
func (e *ValueError) Error() string { return e.Reason.Error() }

// Unwrap returns the reason.
func (e *ValueError) Unwrap() error { return e.Reason }

// CheckVar says whether a value fits a variable, as the active patch, the newest
// one or one of the ids also declares it: the error where it fits none of them is
// a *ValueError. declared is false where none has such a variable.
func (s *Site) CheckVar(ctx context.Context, name, value string, also ...string) (declared, sensitive bool, err error) {
	ids, err := s.current(ctx, also)
	if err != nil {
		return false, false, fmt.Errorf("cannot check the variable %q: %w", name, err)
	}
	fits := false
	for _, id := range ids {
		p, openErr := s.openPatch(id)
		if openErr != nil || p.Manifest == nil {
			continue // told by who opens it for its own sake
		}
		for _, m := range p.Manifest.SiteVariables {
			if m.Name != name {
				continue
			}
			declared, sensitive = true, sensitive || m.Sensitive
			if e := m.Check(value); e != nil {
				err = fmt.Errorf("cannot set the variable %q: %w", name, &ValueError{e})
			} else {
				fits = true
			}
		}
	}
	if fits {
		err = nil
	}
	return declared, sensitive, err
}
