package main

import (
	"fmt"
	"strings"

	"github.com/flotobuild/flotobuild/planner"
)

// mostReasons is how many reasons of an image are listed without -detail.
const mostReasons = 8

// after stands for what only a build can tell.
const after = "(known after apply)"

func (r *planRenderer) image(c planner.ImageChange) {
	old := fmt.Sprintf("%s, %s", count(c.OldLayers, "layer"), byteSize(c.OldSize))
	line := fmt.Sprintf("      %s image %q", r.symbol(c.Change), c.Name)
	switch {
	case c.Change == planner.ChangeRemove:
		r.line("%s: %s %s", line, old, r.paint(grey, "# no container of the site uses it any more"))
	case c.From != "":
		r.line("%s: %s %s", line, old, r.paint(grey, fmt.Sprintf("# the parent has it as %q", c.From)))
	case len(c.Layers) > 0:
		r.built(c, line, old)
	case c.Change == planner.ChangeCreate:
		r.line("%s: %s", line, unbuilt(c))
	default:
		r.line("%s: %s → %s", line, old, unbuilt(c))
		r.reasons(c.Reasons)
	}
}

// unbuilt stands for an image before its build, with an estimate where there is
// one.
func unbuilt(c planner.ImageChange) string {
	if c.NewSize == 0 {
		return after
	}
	return after + ", " + estimate(c.NewSize) + " new"
}

func (r *planRenderer) reasons(reasons []planner.Reason) {
	for n, reason := range reasons {
		if n == mostReasons && !r.detail && len(reasons) > mostReasons+1 {
			r.grey("            # %s hidden, -detail lists them", count(len(reasons)-n, "more reason"))
			return
		}
		r.line("          %s %s", r.paint(grey, "#"), safe(reasonText(reason)))
	}
}

// reasonText says in words which input of an image changed.
func reasonText(r planner.Reason) string {
	kind, name, _ := strings.Cut(r.Input, ":")
	switch kind {
	case "arg", "label":
		return fmt.Sprintf("%s %s %s", kind, name, values(r))
	case "target", "platform":
		return fmt.Sprintf("%s %s", kind, values(r))
	case "secret":
		return fmt.Sprintf("secret %s %s", name, happened(r))
	case "dockerfile":
		return "Dockerfile " + happened(r)
	case "rootfs":
		return "root file system " + happened(r)
	case "context":
		return strings.TrimSpace("context "+name) + " " + happened(r)
	case "context-dir":
		folder, entry, _ := strings.Cut(name, ":")
		return strings.TrimSpace(fmt.Sprintf("context %q %s", folder, entry)) + " " + happened(r)
	case "image":
		return strings.TrimSpace("base image "+name) + " " + happened(r)
	case "base":
		return fmt.Sprintf("base image %s %s", name, digests(r))
	case "source":
		return "source " + digests(r)
	}
	return otherReason(r)
}

func otherReason(r planner.Reason) string {
	switch r.Input {
	case planner.InputNew:
		return "the parent has no image of this name"
	case planner.InputStep:
		return "the step is new or changed"
	case planner.InputNeededBy:
		return r.New + " is built on it"
	case planner.InputFingerprint:
		return "the parent does not say what its image was made from, or by other rules"
	}
	return r.Input + " " + happened(r)
}

func happened(r planner.Reason) string {
	switch {
	case r.Old == "":
		return "new"
	case r.New == "":
		return "removed"
	}
	return "changed"
}

func values(r planner.Reason) string {
	switch {
	case r.Old == "":
		return fmt.Sprintf("new: %q", r.New)
	case r.New == "":
		return fmt.Sprintf("removed, was %q", r.Old)
	}
	return fmt.Sprintf("%q → %q", r.Old, r.New)
}

func digests(r planner.Reason) string {
	if r.Old == "" || r.New == "" {
		return happened(r)
	}
	return shortDigest(r.Old) + " → " + shortDigest(r.New)
}

// shortDigest cuts a digest, or the one at the end of a reference, as people
// compare it.
func shortDigest(s string) string {
	const digits = 12
	algorithm, hex, ok := strings.Cut(s[strings.LastIndex(s, "@")+1:], ":")
	if !ok || len(hex) < digits {
		return s
	}
	return algorithm + ":" + hex[:digits]
}
