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
	// Patches are those that need it, of the active patch and the newest one: their
	// ids, the active one first.
	Patches []string `json:"patches"`
	Set     bool     `json:"set"`
	// Value is empty for what must not be shown: sensitive values, and those of
	// which no patch says that they are not.
	Value string `json:"value,omitempty"`
}

// Missing says that a patch needs the variable and the site has no value.
func (v *Variable) Missing() bool { return v.Required && !v.Set }

// Variables lists what the active patch and the newest one need, and what was set
// besides, by name.
func (s *Site) Variables(ctx context.Context) ([]Variable, error) {
	out, err := s.variables(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the variables of site %q: %w", s.Name(), err)
	}
	return out, nil
}

func (s *Site) variables(ctx context.Context) ([]Variable, error) {
	values, err := s.readVars()
	if err != nil {
		return nil, err
	}
	ids, err := s.current(ctx)
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

// current gives the ids of the active patch and of the newest one.
func (s *Site) current(ctx context.Context) ([]string, error) {
	all, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	for n, e := range all {
		switch {
		case e.Active:
			out = append([]string{e.ID}, out...)
		case n == 0:
			out = append(out, e.ID)
		}
	}
	return out, nil
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

// CheckVar says whether a value fits a variable, as the active patch or the newest
// one declares it: the error is that of the newest where it fits neither. declared
// is false where neither has such a variable.
func (s *Site) CheckVar(ctx context.Context, name, value string) (declared, sensitive bool, err error) {
	ids, err := s.current(ctx)
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
				err = fmt.Errorf("cannot set the variable %q: %w", name, e)
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
