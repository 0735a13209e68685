package executor

import (
	"fmt"
	"strings"

	"github.com/flotobuild/flotobuild/planner"
)

// A SizeError says which patches are larger than the policies of their sites
// allow. None was published.
type SizeError struct{ Patches []OversizePatch }

// An OversizePatch is a patch that is larger than it may be.
type OversizePatch struct {
	Site string
	Size int64 // bytes of the file
	Most int64 // bytes that are allowed
}

// Error returns a line for each patch.
func (e *SizeError) Error() string {
	var lines []string
	for _, p := range e.Patches {
		lines = append(lines, fmt.Sprintf("site %q: %s", p.Site, planner.TooLarge(p.Size, p.Most)))
	}
	return "cannot publish patches: " + strings.Join(lines, "\n")
}

// checkSizes holds the written patches to the plan's bounds.
func checkSizes(drafts []*draft) error {
	var e SizeError
	for _, d := range drafts {
		if size, most := d.writer.Size(), d.site.Patch.MaxSize; most > 0 && size > most {
			e.Patches = append(e.Patches, OversizePatch{Site: d.site.Name, Size: size, Most: most})
		}
	}
	if len(e.Patches) > 0 {
		return &e
	}
	return nil
}
