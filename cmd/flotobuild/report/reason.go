package report

import (
	"fmt"
	"strings"

	"github.com/flotobuild/flotobuild/planner"
)

func reasons(list []planner.Reason) []string {
	var out []string
	for _, r := range list {
		out = append(out, plain(reasonText(r)))
	}
	return out
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
		return fmt.Sprintf("secret %s %s, %s", name, happened(r), hidden)
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
	case planner.InputVolume:
		return "the volume " + r.New + " is to hold it"
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

// layerReason is reasonText as it fits a layer: of an image that others made,
// nothing is known of the steps.
func layerReason(r planner.Reason) string {
	if r.Input == "source" {
		return "in the new version only"
	}
	return plain(reasonText(r))
}

// cause names where the layers below come from: a place, or an input.
func cause(s string) string {
	kind, name, _ := strings.Cut(s, ":")
	switch kind {
	case "image", "base":
		return "base image " + plain(name)
	case "rootfs":
		return "the root file system"
	}
	return plain(s)
}
