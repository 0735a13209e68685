package executor

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/flotobuild/flotobuild/planner"
)

// errNotBegun is the reason of images that were left alone after the failure of
// another one that they do not depend on.
var errNotBegun = errors.New("not begun after the failure; -keep-going makes what can be made")

// A MakeError says which images were not made, and which sites lack them.
// Nothing was written.
type MakeError struct {
	Failed  []ImageFailure // in the plan's order
	Skipped []ImageFailure // not tried, for a failure of others
}

// An ImageFailure is one image that was not made.
type ImageFailure struct {
	Address string
	Sites   []string // the sites that carry it or an image built on it
	Err     error
}

// Error names what was left undone first and the reasons of failures last,
// where they are looked for in a log.
func (e *MakeError) Error() string {
	var b strings.Builder
	if n := len(e.Failed) + len(e.Skipped); n > 1 {
		fmt.Fprintf(&b, "%d images were not made:\n", n)
	}
	for _, s := range e.Skipped {
		fmt.Fprintf(&b, "cannot make %s", s.Address)
		if len(s.Sites) > 0 {
			fmt.Fprintf(&b, " for %s", siteNames(s.Sites))
		}
		fmt.Fprintf(&b, ": %v\n", s.Err)
	}
	for _, f := range e.Failed {
		if len(f.Sites) > 0 {
			fmt.Fprintf(&b, "cannot make %s for %s:\n", f.Address, siteNames(f.Sites))
		}
		fmt.Fprintf(&b, "%v\n", f.Err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Unwrap returns the reasons.
func (e *MakeError) Unwrap() []error {
	var out []error
	for _, f := range e.Failed {
		out = append(out, f.Err)
	}
	return out
}

func siteNames(sites []string) string {
	const most = 10
	names := make([]string, 0, len(sites))
	for _, s := range sites {
		names = append(names, fmt.Sprintf("%q", s))
	}
	switch n := len(names); {
	case n == 1:
		return "site " + names[0]
	case n > most:
		names = append(names[:most], fmt.Sprintf("%d more", n-most))
	}
	return "sites " + strings.Join(names, ", ")
}

// failures sums up the jobs; nil where all images were made.
func (r *run) failures(jobs map[string]*job) error {
	var e MakeError
	for _, img := range r.plan.Images {
		j := jobs[img.Address]
		if j == nil || j.err == nil {
			continue
		}
		f := ImageFailure{Address: img.Address, Sites: r.sitesOf(img.Address), Err: j.err}
		if j.skipped {
			e.Skipped = append(e.Skipped, f)
		} else {
			e.Failed = append(e.Failed, f)
		}
	}
	if len(e.Failed)+len(e.Skipped) == 0 {
		return nil
	}
	return &e
}

// sitesOf lists the sites whose next patch needs an image made: because it
// carries it, or an image that is built on it.
func (r *run) sitesOf(address string) []string {
	needing := map[string]bool{address: true}
	for _, img := range r.plan.Images { // bases come first
		if img.Action != planner.ActionReuse && slices.ContainsFunc(img.DependsOn, func(d string) bool { return needing[d] }) {
			needing[img.Address] = true
		}
	}
	var out []string
	for _, s := range r.plan.Sites {
		needs := func(c planner.ImageChange) bool {
			return needing[c.Address] && c.Made()
		}
		if slices.ContainsFunc(s.Images, needs) {
			out = append(out, s.Name)
		}
	}
	return out
}
