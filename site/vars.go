package site

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
	"github.com/flotobuild/flotobuild/lang"
)

// ActionVars is the action of events that tell of changed values. These hold the
// names of the variables only.
const ActionVars = "vars"

// Limits on the site's own values, in bytes.
const (
	maxValue = 1 << 20
	maxVars  = 16 << 20 // of vars.json
)

// ErrNoValue says that the site has no value of a variable.
var ErrNoValue = errors.New("the site has no value of it")

// A varsStore is vars.json: the values that only the site knows.
type varsStore struct {
	FormatVersion int               `json:"formatVersion"`
	Changed       time.Time         `json:"changed"`
	Values        map[string]string `json:"values"`
}

// Vars gives the values that only the site knows, secrets among them, as they
// were set. They are read from a file that others than its owner cannot read.
func (s *Site) Vars() (map[string]string, error) {
	v, err := s.readVars()
	if err != nil {
		return nil, fmt.Errorf("cannot read the values of site %q: %w", s.Name(), err)
	}
	return v, nil
}

func (s *Site) readVars() (map[string]string, error) {
	v, err := s.readVarsStore()
	if err != nil {
		return nil, err
	}
	return v.Values, nil
}

// readVarsStore gives the zero value with no values where there is no file.
func (s *Site) readVarsStore() (*varsStore, error) {
	v := &varsStore{Values: make(map[string]string)}
	b, err := readFile(s.path(varsFile), maxVars)
	if errors.Is(err, fs.ErrNotExist) {
		return v, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, v); err != nil {
		// The reason may quote a secret.
		return nil, fmt.Errorf("%q is damaged: remove it, and set the values again", s.path(varsFile))
	}
	if v.Values == nil {
		v.Values = make(map[string]string)
	}
	if v.FormatVersion != formatVersion {
		return nil, fmt.Errorf("%q has format version %d and this flotobuild knows %d: take a newer flotobuild", s.path(varsFile), v.FormatVersion, formatVersion)
	}
	return v, nil
}

// SetVar sets a value that only the site knows, whether a patch needs it yet or
// not. It has no effect on what is active until Activate is called.
func (s *Site) SetVar(ctx context.Context, name, value, by string) error {
	err := checkVar(name, value)
	if err != nil {
		err = &ValueError{err}
	} else {
		err = s.changeVars(ctx, by, func(values map[string]string) (string, error) {
			values[name] = value
			return "set " + name, nil
		})
	}
	if err != nil {
		return fmt.Errorf("cannot set the variable %q of site %q: %w", name, s.Name(), err)
	}
	return nil
}

// UnsetVar removes the value of a variable. The error where there is none is
// ErrNoValue.
func (s *Site) UnsetVar(ctx context.Context, name, by string) error {
	err := s.changeVars(ctx, by, func(values map[string]string) (string, error) {
		if _, ok := values[name]; !ok {
			return "", ErrNoValue
		}
		delete(values, name)
		return "unset " + name, nil
	})
	if err != nil {
		return fmt.Errorf("cannot unset the variable %q of site %q: %w", name, s.Name(), err)
	}
	return nil
}

// RestoreVars sets the values that the active patch was activated with, as far as
// it needs them, and gives the names of those that were others. by says who does
// it, for the history.
func (s *Site) RestoreVars(ctx context.Context, by string) ([]string, error) {
	names, err := s.restoreVars(ctx, by)
	if err != nil {
		return nil, fmt.Errorf("cannot restore the values of site %q: %w", s.Name(), err)
	}
	return names, nil
}

func (s *Site) restoreVars(ctx context.Context, by string) (names []string, err error) {
	a, err := s.readActive()
	if err != nil {
		return nil, err
	}
	if a.ID == "" {
		return nil, ErrNoActive
	}
	if a.Values == "" {
		return nil, nil // the patch needs none
	}
	p, err := s.openPatch(a.ID)
	if err != nil {
		return nil, err
	}
	in, err := s.readInputs(a.Values)
	if err != nil || p.Manifest == nil {
		return nil, err
	}
	for _, v := range p.Manifest.SiteVariables {
		names = append(names, v.Name)
	}
	err = s.changeVars(ctx, by, func(values map[string]string) (string, error) {
		names = restore(values, in.Values, names)
		return "restore " + strings.Join(names, ", "), nil
	})
	return names, err
}

// restore puts values of names back to what they were, and gives the names of
// those that were others.
func restore(values, were map[string]string, names []string) []string {
	return slices.DeleteFunc(names, func(name string) bool {
		now, set := values[name]
		was, had := were[name]
		if had {
			values[name] = was
		} else {
			delete(values, name)
		}
		return now == was && set == had
	})
}

func checkVar(name, value string) error {
	switch {
	case !hclsyntax.ValidIdentifier(name) || len(name) > 256:
		return errors.New("this is no name of a variable: it must begin with a letter, and hold letters, digits, - and _ only")
	case len(value) > maxValue:
		return fmt.Errorf("the value has %d bytes, and %d are the limit", len(value), maxValue)
	case !utf8.ValidString(value):
		return errors.New("the value is no UTF-8 text")
	}
	return nil
}

// changeVars writes what change makes of the values, which says in words what that
// is.
func (s *Site) changeVars(ctx context.Context, by string, change func(map[string]string) (string, error)) (err error) {
	unlock, err := s.Lock(ctx, "change of a variable")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	values, err := s.readVars()
	if err != nil {
		return err
	}
	before := maps.Clone(values)
	what, err := change(values)
	if err != nil || maps.Equal(values, before) {
		return err
	}
	e := Event{Time: orNow(time.Time{}), Action: ActionVars, By: by, Detail: what}
	b, err := encode(varsStore{formatVersion, e.Time, values})
	if err != nil {
		return err
	}
	if len(b) > maxVars {
		return fmt.Errorf("all values together have more than %d bytes", maxVars)
	}
	return s.commit(e, func() error { return atomicfile.WriteFile(s.path(varsFile), b, 0o600) })
}

// valuesFor gives those of the site's values that a manifest asks for.
func valuesFor(m *lang.Manifest, values map[string]string) map[string]string {
	out := make(map[string]string)
	for _, v := range m.SiteVariables {
		if text, ok := values[v.Name]; ok {
			out[v.Name] = text
		}
	}
	return out
}
