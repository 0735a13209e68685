package planner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/hashicorp/hcl/v2"
	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/lang"
)

// A refKey tells references apart, as the lock does: by the familiar form with
// its tag, or by the name and a constraint.
type refKey struct{ source, constraint string }

// A ref is a reference that the images need.
type ref struct {
	key        refKey
	text       string           // as first written; without tag where there is a constraint
	constraint *lang.Constraint // nil where text names the image
	at         hcl.Range        // its first use
	pinned     bool             // text has a digest
	previous   *lang.LockEntry  // what the lock says; nil for nothing

	version   string // the tag chosen by the constraint
	digest    digest.Digest
	unchecked error // why nobody could be asked whether the lock still holds
}

// keyOf returns the key of a reference. One that cannot be parsed is its own
// key; whoever resolves it says so.
func keyOf(text string, c *lang.Constraint) refKey {
	key := refKey{source: text}
	if c != nil {
		key.constraint = c.Text
	}
	if IsLayout(text) {
		return key
	}
	if named, err := reference.ParseNormalizedNamed(text); err == nil {
		if c == nil {
			named = reference.TagNameOnly(named)
		}
		key.source = reference.FamiliarString(named)
	}
	return key
}

// isPinned tells whether a reference has a digest.
func isPinned(text string) bool {
	if IsLayout(text) {
		_, _, d, err := SplitLayout(text)
		return err == nil && d != ""
	}
	named, err := reference.ParseNormalizedNamed(text)
	if err != nil {
		return false
	}
	_, ok := named.(reference.Digested)
	return ok
}

// listReferences finds the references of all images, each once.
func (r *resolver) listReferences() {
	for _, f := range r.images {
		f.eachReference(func(text string, c *lang.Constraint, at hcl.Range) {
			key := keyOf(text, c)
			if r.byKey[key] != nil {
				return
			}
			n := &ref{key: key, text: text, constraint: c, at: at, pinned: isPinned(text)}
			r.byKey[key] = n
			r.refs = append(r.refs, n)
		})
	}
	r.match()
}

// eachReference calls fn for the references of one image.
func (f *imageFacts) eachReference(fn func(text string, c *lang.Constraint, at hcl.Range)) {
	if s := f.lang.Source; s != nil {
		at := s.Range
		if s.Version != nil {
			at = orRange(s.Version.Range, at)
		}
		fn(s.Ref, s.Version, orRange(at, f.lang.Range))
	}
	for _, name := range slices.Sorted(maps.Keys(f.contexts)) {
		if c := f.contexts[name]; c.Ref != "" {
			fn(contextRef(c), nil, orRange(c.Range, f.lang.Range))
		}
	}
	if f.dockerfile != nil {
		for _, text := range f.dockerfile.References {
			fn(text, nil, f.lang.Range)
		}
	}
}

// gatherReferences resolves every reference once; a failing one is reported at
// its first use.
func (r *resolver) gatherReferences(ctx context.Context) hcl.Diagnostics {
	r.listReferences()
	tasks := make([]task, len(r.refs))
	for i, n := range r.refs {
		tasks[i] = func(ctx context.Context) hcl.Diagnostics {
			if d := r.resolve(ctx, n); d != nil {
				return hcl.Diagnostics{d}
			}
			return nil
		}
	}
	diags := runAll(ctx, tasks)
	r.warnUnchecked()
	return diags
}

func (r *resolver) resolve(ctx context.Context, n *ref) *hcl.Diagnostic {
	switch {
	case n.pinned:
		return r.ask(ctx, n)
	case n.previous != nil && !r.opts.Upgrade:
		return r.checkLocked(ctx, n)
	case r.opts.Readonly:
		return problem(n.at, "Image reference not locked", fmt.Sprintf(
			"The lock file %s has no entry of %s, and must not change with -lockfile=readonly. Add it with flotobuild plan, and commit the file.",
			lang.LockFile, n))
	case n.constraint == nil:
		return r.ask(ctx, n)
	}
	tags, err := r.facts.Tags(ctx, n.text)
	if err != nil {
		return tagsProblem(n, err)
	}
	if n.version = n.constraint.Newest(tags); n.version == "" {
		return versionProblem(n, tags)
	}
	return r.ask(ctx, n)
}

// String names a reference in messages.
func (n *ref) String() string {
	if n.constraint != nil {
		return fmt.Sprintf("%q, version %q", n.key.source, n.key.constraint)
	}
	return fmt.Sprintf("%q", n.key.source)
}

// full is the reference with the tag that was chosen.
func (n *ref) full() string {
	if n.version != "" {
		return n.text + ":" + n.version
	}
	return n.text
}

// ask resolves a reference to a digest.
func (r *resolver) ask(ctx context.Context, n *ref) *hcl.Diagnostic {
	d, err := r.facts.Reference(ctx, n.full())
	if err != nil {
		return referenceProblem(n.at, n.full(), err)
	}
	n.digest = d
	return nil
}

// checkLocked takes what the lock says, where it still is so. Where nobody
// answers the lock is trusted: a plan needs no network then.
func (r *resolver) checkLocked(ctx context.Context, n *ref) *hcl.Diagnostic {
	e := n.previous
	if n.constraint != nil && !n.constraint.Allows(e.Version) {
		return constraintProblem(n)
	}
	n.version = e.Version
	now, err := r.facts.Reference(ctx, n.full())
	switch {
	case errors.Is(err, ErrNoAnswer):
		n.unchecked = err
	case errors.Is(err, ErrNoImage):
		return goneProblem(n)
	case err != nil:
		return referenceProblem(n.at, n.full(), err)
	case now != e.Digest:
		return movedProblem(n, now)
	}
	n.digest = e.Digest
	return nil
}

// digestOf returns what a reference was resolved to.
func (r *resolver) digestOf(text string, c *lang.Constraint) digest.Digest {
	return r.byKey[keyOf(text, c)].digest
}

// warnUnchecked says once for all which references were taken from the lock
// unseen.
func (r *resolver) warnUnchecked() {
	var names []string
	var first *ref
	for _, n := range r.refs {
		if n.unchecked == nil {
			continue
		}
		if first == nil {
			first = n
		}
		names = append(names, n.full())
	}
	if first == nil {
		return
	}
	const most = 3
	if more := len(names) - most; more > 0 {
		names = append(names[:most], fmt.Sprintf("%d more", more))
	}
	w := problem(first.at, "Locked digests not checked", fmt.Sprintf(
		"Nobody could be asked whether the lock file still holds for %s: %v. The locked digests are used.",
		strings.Join(names, ", "), first.unchecked))
	w.Severity = hcl.DiagWarning
	r.warnings = append(r.warnings, w)
}
