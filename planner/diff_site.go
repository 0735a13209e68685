package planner

import (
	"slices"

	"github.com/flotobuild/flotobuild/patch"
)

// site compares a site with its parents.
func (d *differ) site(parents []*patch.Description, s *Site) *SitePlan {
	d.indexes = make(indexes)
	p := &SitePlan{Site: *s, Change: ChangeCreate}
	p.manifests = nil
	for _, f := range s.Conf {
		p.Size.Conf += f.Size
	}
	var parent *patch.Description
	if len(parents) > 0 {
		parent = parents[0]
		p.Change = ChangeUpdate
	}
	for _, r := range parents {
		p.Parents = append(p.Parents, patch.ParentRef{ID: r.Ref("").ID})
	}
	p.Images = d.siteImages(parents, s)
	p.Conf = diffConf(parent, s.Conf)
	p.Manifest = diffManifest(parent, s.Manifest)
	p.EnvelopeFiles = d.siteEnvelopes(parents, s)
	for _, c := range p.Images {
		if unknown(c) {
			p.Size.UnknownImages++
		}
	}
	d.estimate(p, parent)
	if parent == nil {
		return p
	}
	p.Attributes = diffAttributes(parent, s)
	p.ParentChanges = d.parentChanges(parents, s)
	others := slices.ContainsFunc(p.ParentChanges, func(c ParentChange) bool { return !c.none() })
	if len(p.Conf) == 0 && len(p.Manifest) == 0 && len(p.Attributes) == 0 && len(p.EnvelopeFiles) == 0 && !others && !slices.ContainsFunc(p.Images, changed) {
		p.Change = ChangeNone
	} else if parent.Comment != s.Patch.Comment {
		// A comment alone is no reason for a patch.
		p.Attributes = append(p.Attributes, AttributeChange{"comment", parent.Comment, s.Patch.Comment})
	}
	return p
}

func changed(c ImageChange) bool { return c.Change != ChangeNone }

// unknown tells the images whose layers are known only after the build.
func unknown(c ImageChange) bool {
	return (c.Change == ChangeCreate && c.From == "") || c.Change == ChangeUpdate
}

// diffAttributes lists the attributes that make a patch of their own.
func diffAttributes(parent *patch.Description, s *Site) []AttributeChange {
	var out []AttributeChange
	for _, a := range []AttributeChange{
		{"name", parent.Name, s.Patch.Name},
		{"version", parent.Flotobuild.Version, s.Patch.Version},
		{"root_definition", parent.RootDefinitionFile, s.RootDefinitionFile},
	} {
		if a.Old != a.New {
			out = append(out, a)
		}
	}
	return out
}

// layersOf sums up an image as blobs, those that its platforms share once.
func (d *differ) layersOf(i *patch.Image) (layers int, size int64) {
	clear(d.seen)
	for _, m := range i.Manifests {
		for _, l := range m.Layers {
			if !d.seen[l.DiffID] {
				d.seen[l.DiffID] = true
				layers++
				size += l.Size
			}
		}
	}
	return layers, size
}
