package main

import (
	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/planner"
)

// lockFile tells what the plan changed in the lock file.
func (r *planRenderer) lockFile() {
	changes := r.plan.LockChanges
	if len(changes) == 0 {
		return
	}
	r.line("")
	r.line("%s has changed; commit it:", lang.LockFile)
	hidden := 0
	for n, c := range changes {
		// What moves is always told; what is new may be long.
		if n >= mostFiles && c.Change != planner.ChangeUpdate && !r.detail {
			hidden++
			continue
		}
		r.line("  %s %s", r.symbol(c.Change), safe(lockChange(c)))
	}
	if hidden > 0 {
		r.grey("    # %s hidden, -detail lists them", count(hidden, "more entry"))
	}
}

func lockChange(c planner.LockChange) string {
	out := c.Source
	switch {
	case c.OldConstraint != c.Constraint && c.Change == planner.ChangeUpdate:
		out += " (" + c.OldConstraint + " → " + c.Constraint + ")"
	case c.Constraint != "":
		out += " (" + c.Constraint + ")"
	}
	out += ":"
	if c.OldVersion != "" || c.NewVersion != "" {
		out += " " + fromTo(c.OldVersion, c.NewVersion) + ","
	}
	return out + " " + fromTo(shortDigest(c.OldDigest.String()), shortDigest(c.NewDigest.String()))
}

// fromTo writes a change, and what is there where nothing changes.
func fromTo(before, after string) string {
	switch {
	case before == "" || before == after:
		return after
	case after == "":
		return before
	}
	return before + " → " + after
}
