package planner

import (
	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
)

// Changed decides after the build whether a site still needs a patch. ids maps
// the names of the site's images to what the build gave; images that the plan
// does not change may be absent. A rebuild that gave the images of every parent,
// with nothing else changed, needs none. Without parents there is always one.
func Changed(s *SitePlan, parents []*patch.Description, ids map[string]digest.Digest) bool {
	if len(parents) == 0 || s.Change == ChangeCreate || len(s.Conf) > 0 || len(s.Manifest) > 0 || len(s.EnvelopeFiles) > 0 {
		return true
	}
	for _, a := range s.Attributes {
		if a.Name != "comment" {
			return true
		}
	}
	for _, c := range s.ParentChanges {
		if len(c.Removed) > 0 || c.Conf > 0 || c.Manifest > 0 || len(c.Attributes) > 0 {
			return true
		}
	}
	for _, c := range s.Images {
		for _, p := range parents {
			if imageChanged(c, p, ids) {
				return true
			}
		}
	}
	return false
}

func imageChanged(c ImageChange, parent *patch.Description, ids map[string]digest.Digest) bool {
	switch c.Change {
	case ChangeNone: // as the first parent has it; another may have it by another name
		return parent.ImageMap[c.Name] != c.OldID
	case ChangeUpdate:
		id, ok := ids[c.Name]
		return !ok || id != parent.ImageMap[c.Name]
	}
	return true
}
