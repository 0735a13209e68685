package site

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/flotobuild/flotobuild/internal/atomicfile"
)

// temporary tells the names of files that killed writers leave.
func temporary(name string) bool { return strings.HasPrefix(name, atomicfile.Prefix) }

// commit makes a change that the history is to tell of. The journal holds the
// event while change is made, so that a crash loses neither: whoever comes next
// sees what became of it.
func (s *Site) commit(e Event, change func() error) error {
	b, err := encode(e)
	if err != nil {
		return err
	}
	if err := atomicfile.WriteFile(s.path(journalFile), b, 0o666); err != nil {
		return err
	}
	if err := change(); err != nil {
		return err // the journal makes the next writer look at what remains
	}
	return s.settle()
}

// settle moves the event of the journal into the history, if what it tells of
// has happened.
func (s *Site) settle() error {
	b, err := readFile(s.path(journalFile), maxRecord)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var e Event
	// The journal is replaced as a whole: one that cannot be read was never
	// written by this program, and tells nothing.
	if json.Unmarshal(b, &e) == nil {
		happened, err := s.happened(e)
		if err != nil {
			return err
		}
		if happened {
			if err := s.recordOnce(e); err != nil {
				return err
			}
		}
	}
	return os.Remove(s.path(journalFile))
}

// happened says whether the store shows what an event tells of.
func (s *Site) happened(e Event) (bool, error) {
	switch e.Action {
	case ActionImport, ActionSign:
		r, err := s.readRecord(e.Patch)
		if missing := (*MissingPatchError)(nil); errors.As(err, &missing) {
			return false, nil
		}
		return err == nil && (r.Imported.Equal(e.Time) || r.Verified.Signed.Equal(e.Time)), err
	case ActionActivate, ActionRollback:
		a, err := s.readActive()
		return err == nil && a.ID == e.Patch && a.Since.Equal(e.Time), err
	case ActionVars:
		v, err := s.readVarsStore()
		return err == nil && v.Changed.Equal(e.Time), err
	case ActionTrust:
		c, err := readConfig(s.dir)
		return err == nil && c.TrustSince.Equal(e.Time), err
	case ActionRepair:
		return s.repaired(e.Patch)
	}
	return true, nil
}

// repaired says whether the site has a patch with all its blobs.
func (s *Site) repaired(id string) (bool, error) {
	all, err := s.readNeeds(id)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	missing, err := s.lacking(all)
	return err == nil && len(missing) == 0, err
}

// recent is how much of the history's end is searched for an event, in bytes.
const recent = 1 << 20

// recordOnce appends an event that the history may have already: the journal
// outlives it for a moment.
func (s *Site) recordOnce(e Event) error {
	events, err := readHistory(s.path(historyFile), recent)
	if err != nil {
		return err
	}
	for _, o := range slices.Backward(events) {
		if o.Time.Equal(e.Time) && o.Action == e.Action && o.Patch == e.Patch {
			return nil
		}
		if o.Time.Before(e.Time) {
			break
		}
	}
	return s.record(e)
}

// recover cleans up what a crash left. The caller holds the lock.
func (s *Site) recover() error {
	if _, err := atomicfile.Sweep(s.dir); err != nil {
		return err
	}
	if err := s.pruneCompilations(); err != nil {
		return err
	}
	dirty, err := s.halfRemoved()
	if err != nil {
		return err
	}
	_, err = os.Lstat(s.path(journalFile))
	if errors.Is(err, fs.ErrNotExist) && len(dirty) == 0 {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// The folders go last: as long as they stand, the next call comes here.
	if err := s.repairIndex(context.Background()); err != nil {
		return err
	}
	if err := s.settle(); err != nil {
		return err
	}
	return s.removePatchDirs(dirty)
}

// halfRemoved lists the folders of patches that are not listed: a collection
// has not come to its end.
func (s *Site) halfRemoved() ([]string, error) {
	entries, err := os.ReadDir(s.path(patchesDir))
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		_, err := os.Lstat(s.path(patchesDir, e.Name(), recordFile))
		if errors.Is(err, fs.ErrNotExist) {
			out = append(out, e.Name())
		} else if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// removePatchDirs removes folders of patches that are not listed any more.
func (s *Site) removePatchDirs(names []string) error {
	for _, name := range names {
		if err := os.RemoveAll(s.path(patchesDir, name)); err != nil {
			return err
		}
	}
	if len(names) == 0 {
		return nil
	}
	return syncDir(s.path(patchesDir))
}

// syncDir makes the names in a folder durable.
func syncDir(dir string) error { return atomicfile.SyncDir(filepath.Clean(dir)) }
