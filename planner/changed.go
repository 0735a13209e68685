package planner

import (
	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
)

// Changed decides after the build whether a site still needs a patch. ids maps
// the names of the site's images to what the build gave; images that the plan
// does not change may be absent. A rebuild that gave the parent's images, with
// nothing else changed, needs none. A nil parent always does.
func Changed(s *SitePlan, parent *patch.Description, ids map[string]digest.Digest) bool {
	if parent == nil || s.Change == ChangeCreate || len(s.Conf) > 0 || len(s.Manifest) > 0 {
		return true
	}
	for _, a := range s.Attributes {
		if a.Name != "comment" {
			return true
		}
	}
	for _, c := range s.Images {
		if imageChanged(c, parent, ids) {
			return true
		}
	}
	return false
}

func imageChanged(c ImageChange, parent *patch.Description, ids map[string]digest.Digest) bool {
	switch c.Change {
	case ChangeNone:
		return false
	case ChangeUpdate:
		id, ok := ids[c.Name]
		return !ok || id != parent.ImageMap[c.Name]
	}
	return true
}
