package planner

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/lang"
)

// entryPlace names the entry of the lock that a reference has.
func entryPlace(e *lang.LockEntry) string {
	if e.Range.Filename == "" {
		return "lock file " + lang.LockFile
	}
	return fmt.Sprintf("lock file, %s:%d", e.Range.Filename, e.Range.Start.Line)
}

// takeNew is the remedy where the lock no longer holds.
const takeNew = "To take what is there now for all references, run flotobuild plan -upgrade"

func movedProblem(n *ref, now digest.Digest) *hcl.Diagnostic {
	instead := ""
	if n.constraint != nil {
		instead = " in place of the version"
	}
	return problem(n.at, "Locked digest does not match", fmt.Sprintf(
		"%q is %s now, and was %s when it was locked (%s): what the tag names has been replaced. %s. To stay with the locked image whatever becomes of the tag, write its digest%s: %s@%s.",
		n.full(), now, n.previous.Digest, entryPlace(n.previous), takeNew, instead, n.text, n.previous.Digest))
}

func goneProblem(n *ref) *hcl.Diagnostic {
	return problem(n.at, "Locked image is gone", fmt.Sprintf(
		"%q, which was %s when it was locked (%s), is no longer there. Put it back, or correct the reference. %s.",
		n.full(), n.previous.Digest, entryPlace(n.previous), takeNew))
}

func constraintProblem(n *ref) *hcl.Diagnostic {
	return problem(n.at, "Locked version does not satisfy the constraint", fmt.Sprintf(
		"The version %s of %q is locked (%s), and the constraint %q excludes it. To take the newest versions that satisfy the constraints, run flotobuild plan -upgrade; otherwise change the constraint back.",
		n.previous.Version, n.key.source, entryPlace(n.previous), n.constraint.Text))
}

func tagsProblem(n *ref, err error) *hcl.Diagnostic {
	if errors.Is(err, fs.ErrNotExist) {
		return problem(n.at, "Cannot list versions", fmt.Sprintf(
			"There is no OCI layout at %q. Create it or correct the path; paths are relative to the file that names them.", n.text))
	}
	return problem(n.at, "Cannot list versions", fmt.Sprintf(
		"The tags of %q cannot be listed: %v. See that the registry can be reached, or name a tag or digest in the source instead of a version.", n.text, err))
}

func versionProblem(n *ref, tags []string) *hcl.Diagnostic {
	const most = 6
	there := "It has no tags."
	if near := n.constraint.Nearest(tags); len(near) > 0 {
		there = "The nearest are: " + strings.Join(near, ", ") + ". Prereleases count only where the constraint names one."
	} else if len(tags) > 0 {
		some := slices.Sorted(slices.Values(tags))
		if more := len(some) - most; more > 0 {
			some = append(some[:most], fmt.Sprintf("%d more", more))
		}
		there = "None of its tags is a version: " + strings.Join(some, ", ") + "."
	}
	return problem(n.at, "No version satisfies the constraint", fmt.Sprintf(
		"%q has no tag that satisfies %q. %s Change the constraint, or name a tag in the source.", n.text, n.constraint.Text, there))
}
