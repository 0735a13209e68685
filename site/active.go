package site

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
)

// maxPrevious is how many patches before the active one are remembered.
const maxPrevious = 16

// An activation is the file active. The zero value means that nothing is.
type activation struct {
	FormatVersion     int           `json:"formatVersion"`
	ID                string        `json:"id"`
	DescriptionDigest digest.Digest `json:"descriptionDigest"`
	Since             time.Time     `json:"since"`
	By                string        `json:"by,omitempty"`
	// Previous are the ids of those that were active before, the latest first.
	Previous []string `json:"previous,omitempty"`
	// Compiled names the folders in compiled/ of this patch and of those that were
	// active, by id, for patches with variables of the site.
	Compiled map[string]string `json:"compiled,omitempty"`
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
	if err := json.Unmarshal(b, &a); err != nil {
		return a, fmt.Errorf("cannot parse %q: %w", s.path(activeFile), err)
	}
	if a.FormatVersion != formatVersion {
		return a, fmt.Errorf("%q has format version %d and this flotobuild knows %d: take a newer flotobuild", s.path(activeFile), a.FormatVersion, formatVersion)
	}
	return a, nil
}

func (s *Site) writeActive(a activation) error {
	a.FormatVersion = formatVersion
	if len(a.Previous) > maxPrevious {
		a.Previous = a.Previous[:maxPrevious]
	}
	b, err := encode(a)
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(s.path(activeFile), b, 0o666)
}

// previous gives the first of those that were active before which the site
// still has; empty where there is none.
func (s *Site) previous(a activation) string {
	n := slices.IndexFunc(a.Previous, func(id string) bool {
		_, err := s.readRecord(id)
		return err == nil && id != a.ID
	})
	if n < 0 {
		return ""
	}
	return a.Previous[n]
}

// Active gives the id of the active patch; false where none is.
func (s *Site) Active() (string, bool, error) {
	a, err := s.readActive()
	if err != nil {
		return "", false, fmt.Errorf("cannot tell the active patch of site %q: %w", s.Name(), err)
	}
	return a.ID, a.ID != "", nil
}

// Previous gives the id of the patch that Rollback goes to; false where there
// is none.
func (s *Site) Previous() (string, bool, error) {
	a, err := s.readActive()
	if err != nil {
		return "", false, fmt.Errorf("cannot tell the previous patch of site %q: %w", s.Name(), err)
	}
	id := s.previous(a)
	return id, id != "", nil
}
