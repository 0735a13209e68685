package site

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
)

// activeVersion is the version of the file active. Version 1 had no values in
// previous.
const activeVersion = 2

// Bounds of what is remembered.
const (
	maxPrevious = 16 // activations before the active one
	maxKept     = 16 // compilations that are no part of these
)

// A Ref names what is run: a patch, and what the site has compiled of it.
type Ref struct {
	Patch string `json:"patch"` // id
	// Values names the compilation, and so the values of the site that are in it;
	// empty for a patch without variables of the site.
	Values string `json:"values,omitempty"`
}

// An activation is the file active. The zero value means that nothing is.
type activation struct {
	FormatVersion     int           `json:"formatVersion"`
	ID                string        `json:"id"`
	DescriptionDigest digest.Digest `json:"descriptionDigest"`
	Since             time.Time     `json:"since"`
	By                string        `json:"by,omitempty"`
	// Values names the folder in compiled/ with what is active of the patch; empty
	// for one without variables of the site.
	Values string `json:"values,omitempty"`
	// Previous are those that were active before, the latest first. The active
	// patch is among them where it was active with other values.
	Previous []Ref `json:"previous,omitempty"`
	// Kept are others that hosts may run still, the latest first.
	Kept []Ref `json:"kept,omitempty"`
}

func (a *activation) ref() Ref { return Ref{a.ID, a.Values} }

// refs gives all that the file names, the latest first as far as Kept goes.
func (a *activation) refs() []Ref { return slices.Concat([]Ref{a.ref()}, a.Kept, a.Previous) }

// compiled gives what was compiled of a patch last; empty where nothing is left.
func (a *activation) compiled(id string) string {
	for _, r := range a.refs() {
		if r.Patch == id && r.Values != "" {
			return r.Values
		}
	}
	return ""
}

func (s *Site) readActive() (activation, error) {
	var a activation
	b, err := readFile(s.path(activeFile), maxRecord)
	if errors.Is(err, fs.ErrNotExist) {
		return a, nil
	}
	if err != nil {
		return a, err
	}
	if a, err = decodeActivation(b); err != nil {
		return a, fmt.Errorf("cannot parse %q: %w", s.path(activeFile), err)
	}
	return a, nil
}

func decodeActivation(b []byte) (a activation, err error) {
	var v struct{ FormatVersion int }
	if err := json.Unmarshal(b, &v); err != nil {
		return a, err
	}
	switch v.FormatVersion {
	case 1:
		return decodeFirst(b)
	case activeVersion:
		return a, json.Unmarshal(b, &a)
	}
	return a, fmt.Errorf("it has format version %d and this flotobuild knows %d: take a newer flotobuild", v.FormatVersion, activeVersion)
}

// decodeFirst reads version 1, which had one compilation for each patch.
func decodeFirst(b []byte) (a activation, err error) {
	var old struct {
		ID                string
		DescriptionDigest digest.Digest
		Since             time.Time
		By                string
		Previous          []string
		Compiled          map[string]string
	}
	if err := json.Unmarshal(b, &old); err != nil {
		return a, err
	}
	a = activation{ID: old.ID, DescriptionDigest: old.DescriptionDigest, Since: old.Since, By: old.By, Values: old.Compiled[old.ID]}
	for _, id := range old.Previous {
		a.Previous = append(a.Previous, Ref{id, old.Compiled[id]})
	}
	for _, id := range slices.Sorted(maps.Keys(old.Compiled)) {
		a.Kept = append(a.Kept, Ref{id, old.Compiled[id]})
	}
	return a, nil
}

func (s *Site) writeActive(a activation) error {
	a.FormatVersion = activeVersion
	a.Previous = a.Previous[:min(len(a.Previous), maxPrevious)]
	var kept []Ref
	for _, r := range a.Kept {
		if r.Values != "" && r != a.ref() && !slices.Contains(a.Previous, r) && !slices.Contains(kept, r) && s.listed(r.Patch) {
			kept = append(kept, r)
		}
	}
	a.Kept = kept[:min(len(kept), maxKept)]
	b, err := encode(a)
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(s.path(activeFile), b, 0o666)
}

// previous gives the id of the patch before the active one, as far as the site
// still has it; empty where there is none.
func (s *Site) previous(a activation) string {
	n := slices.IndexFunc(a.Previous, func(r Ref) bool { return r.Patch != a.ID && s.has(r.Patch) })
	if n < 0 {
		return ""
	}
	return a.Previous[n].Patch
}

func (s *Site) has(id string) bool {
	_, err := s.readRecord(id)
	return err == nil
}

// valuesBefore says whether a rollback goes to other values of the active patch.
func (s *Site) valuesBefore(a activation) bool {
	n := slices.IndexFunc(a.Previous, func(r Ref) bool { return s.has(r.Patch) })
	return n >= 0 && a.Previous[n].Patch == a.ID
}

// Active gives the id of the active patch; false where none is.
func (s *Site) Active() (string, bool, error) {
	r, err := s.ActiveRef()
	return r.Patch, r.Patch != "", err
}

// ActiveRef gives what is active; the zero value where nothing is.
func (s *Site) ActiveRef() (Ref, error) {
	a, err := s.readActive()
	if err != nil {
		return Ref{}, fmt.Errorf("cannot tell the active patch of site %q: %w", s.Name(), err)
	}
	return a.ref(), nil
}

// ValuesBefore says whether the active patch was active with other values before,
// so that Rollback without an id goes to these.
func (s *Site) ValuesBefore() (bool, error) {
	a, err := s.readActive()
	if err != nil {
		return false, fmt.Errorf("cannot tell the previous values of site %q: %w", s.Name(), err)
	}
	return s.valuesBefore(a), nil
}

// Previous gives the id of the patch before the active one, as far as the site
// still has it; false where there is none.
func (s *Site) Previous() (string, bool, error) {
	a, err := s.readActive()
	if err != nil {
		return "", false, fmt.Errorf("cannot tell the previous patch of site %q: %w", s.Name(), err)
	}
	id := s.previous(a)
	return id, id != "", nil
}
