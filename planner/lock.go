package planner

import (
	"cmp"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/lang"
)

// Options say what Resolve does with references to other people's images, and
// with envelopes.
type Options struct {
	// Lock holds what they were resolved to before; nil is an empty one. A
	// reference with an entry keeps its version and digest.
	Lock *lang.Lock
	// DigestKey is the project's secret key for digests of blobs. It is needed
	// where there are envelopes.
	DigestKey []byte
	// Partial says that the configuration is a part of the project's, see Select:
	// outputs of envelopes that it does not have may belong to the rest.
	Partial bool
	// Upgrade resolves all references anew.
	Upgrade bool
	// Readonly makes a reference without entry an error.
	Readonly bool
	// Keep is called with the outcome once all references are resolved, and
	// before the files of conf are listed, so that a lock file that it writes
	// is among them. It is not called where something is wrong already. Nil
	// keeps nothing.
	Keep func(*lang.Lock, []LockChange) error
}

// A LockChange is a difference between the lock before and after. Old parts are
// empty for a new entry, new ones for one that is gone.
type LockChange struct {
	Source        string        `json:"source"`
	Constraint    string        `json:"constraint,omitempty"` // the new one where both are there
	Change        string        `json:"change"`               // create, update or remove
	OldConstraint string        `json:"oldConstraint,omitempty"`
	OldVersion    string        `json:"oldVersion,omitempty"`
	NewVersion    string        `json:"newVersion,omitempty"`
	OldDigest     digest.Digest `json:"oldDigest,omitempty"`
	NewDigest     digest.Digest `json:"newDigest,omitempty"`
}

// keepLock hands the outcome over.
func (r *resolver) keepLock() error {
	lock, changes := r.lock()
	r.changes = changes
	if r.opts.Keep == nil {
		return nil
	}
	return r.opts.Keep(lock, changes)
}

// lock puts the outcome together: the entries, and what is different.
func (r *resolver) lock() (*lang.Lock, []LockChange) {
	var entries []lang.LockEntry
	var changes []LockChange
	kept := make(map[refKey]bool)
	for _, ref := range r.refs {
		if ref.pinned {
			continue
		}
		e := lang.LockEntry{Source: ref.key.source, Constraint: ref.key.constraint, Version: ref.version, Digest: ref.digest}
		entries = append(entries, e)
		if ref.previous != nil && (!r.partial() || keyOfEntry(ref.previous) == ref.key) {
			kept[keyOfEntry(ref.previous)] = true
		}
		if c := lockChange(ref.previous, &e); c != nil {
			changes = append(changes, *c)
		}
	}
	for _, e := range r.locked() {
		switch {
		case kept[keyOfEntry(&e)]:
		case r.partial(): // it may be another site's
			entries = append(entries, e)
		default:
			changes = append(changes, *lockChange(&e, nil))
		}
	}
	slices.SortFunc(changes, func(a, b LockChange) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Constraint, b.Constraint), cmp.Compare(a.Change, b.Change))
	})
	return lang.NewLock(entries), changes
}

// partial says that there are sites that are not looked at, whose references are
// in the lock, too.
func (r *resolver) partial() bool { return len(r.cfg.Unselected) > 0 }

// lockChange compares an entry before and after; it returns nil where they are
// the same. At most one is nil.
func lockChange(before, after *lang.LockEntry) *LockChange {
	switch {
	case before == nil:
		return &LockChange{
			Source: after.Source, Constraint: after.Constraint, Change: ChangeCreate,
			NewVersion: after.Version, NewDigest: after.Digest,
		}
	case after == nil:
		return &LockChange{
			Source: before.Source, Constraint: before.Constraint, Change: ChangeRemove,
			OldVersion: before.Version, OldDigest: before.Digest,
		}
	case before.Constraint == after.Constraint && before.Version == after.Version && before.Digest == after.Digest:
		return nil
	}
	return &LockChange{
		Source: after.Source, Constraint: after.Constraint, OldConstraint: before.Constraint, Change: ChangeUpdate,
		OldVersion: before.Version, NewVersion: after.Version, OldDigest: before.Digest, NewDigest: after.Digest,
	}
}

// locked are the entries of the lock before.
func (r *resolver) locked() []lang.LockEntry {
	if r.opts.Lock == nil {
		return nil
	}
	return r.opts.Lock.Entries
}

// match gives every reference the entry that speaks of it: the one of the same
// source and constraint, or else one of the same source whose constraint stands
// nowhere any more, because it was edited. Of several such it is one that
// satisfies the new constraint where there is any.
func (r *resolver) match() {
	exact := make(map[refKey]*lang.LockEntry)
	edited := make(map[string][]*lang.LockEntry) // by source
	for n := range r.locked() {
		e := &r.opts.Lock.Entries[n]
		key := keyOfEntry(e)
		exact[key] = e
		if r.byKey[key] == nil && e.Constraint != "" {
			edited[e.Source] = append(edited[e.Source], e)
		}
	}
	for _, ref := range r.refs {
		ref.previous = exact[ref.key]
		if ref.previous != nil || ref.constraint == nil || ref.pinned {
			continue
		}
		for _, e := range edited[ref.key.source] {
			if r.partial() && !ref.constraint.Allows(e.Version) {
				continue // it may be another site's
			}
			if ref.previous == nil || !ref.constraint.Allows(ref.previous.Version) && ref.constraint.Allows(e.Version) {
				ref.previous = e
			}
		}
	}
}

func keyOfEntry(e *lang.LockEntry) refKey { return refKey{e.Source, e.Constraint} }
