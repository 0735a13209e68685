package planner

import "github.com/flotobuild/flotobuild/patch"

// Bind ties a site's plan to the exact parent that it was made from: the
// digest of its description, and the file where it was found. It does nothing
// where the plan names no such parent.
func (p *Plan) Bind(site string, parent patch.ParentRef, file string) {
	for _, s := range p.Sites {
		if s.Name != site {
			continue
		}
		if len(s.ParentFiles) != len(s.Parents) {
			s.ParentFiles = make([]string, len(s.Parents))
		}
		for n := range s.Parents {
			if s.Parents[n].ID == parent.ID {
				s.Parents[n], s.ParentFiles[n] = parent, file
			}
		}
	}
}

// BindBare notes that of a site's parent the description alone is at hand.
func (p *Plan) BindBare(site, id string) {
	for _, s := range p.Sites {
		if s.Name == site {
			s.WithoutLayers = append(s.WithoutLayers, id)
		}
	}
}
