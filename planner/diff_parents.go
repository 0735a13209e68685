package planner

import (
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/patch"
)

// A ParentChange says what one of several parents lacks, or has otherwise than
// the site should have it. The patch carries what any of them lacks.
type ParentChange struct {
	ID         string            `json:"id"`
	Images     []string          `json:"images,omitempty"`     // names, sorted
	Removed    []string          `json:"removed,omitempty"`    // images that are no longer required, sorted
	Conf       int               `json:"conf,omitempty"`       // files
	Manifest   int               `json:"manifest,omitempty"`   // entries
	Attributes []AttributeChange `json:"attributes,omitempty"` // name, version, …
}

// none says that the parent is all that the site should have.
func (c *ParentChange) none() bool {
	return len(c.Images) == 0 && len(c.Removed) == 0 && c.Conf == 0 && c.Manifest == 0 && len(c.Attributes) == 0
}

// parentChanges compares a site with each of its parents where it has several.
func (d *differ) parentChanges(parents []*patch.Description, s *Site) []ParentChange {
	if len(parents) < 2 {
		return nil
	}
	var out []ParentChange
	for i, p := range parents {
		c := ParentChange{ID: p.ID, Conf: len(diffConf(p, s.Conf)), Attributes: diffAttributes(p, s)}
		manifest := s.Manifest
		if other, ok := s.manifests[p.ID]; ok && i > 0 {
			manifest = other
		}
		c.Manifest = len(diffManifest(p, manifest))
		for _, i := range d.siteChanges([]*patch.Description{p}, s) {
			switch i.Change {
			case ChangeNone:
			case ChangeRemove:
				c.Removed = append(c.Removed, i.Name)
			default:
				c.Images = append(c.Images, i.Name)
			}
		}
		out = append(out, c)
	}
	return out
}

// has says whether a site with the patch p has an image, and every blob of it.
// Cache records do not count: they travel in every patch.
func (d *differ) has(p *patch.Description, img *patch.Image) bool {
	if d.blobs[p] == nil {
		d.blobs[p] = make(map[digest.Digest]bool)
		for _, i := range p.Flotobuild.Images {
			d.blobs[p][i.ID] = true
		}
		for _, b := range patch.Blobs(p.Flotobuild.Images) {
			d.blobs[p][b.Digest] = true
		}
	}
	i := *img
	i.Cache = nil
	lacks := func(b ocispec.Descriptor) bool { return !d.blobs[p][b.Digest] }
	return d.blobs[p][img.ID] && !slices.ContainsFunc(patch.Blobs([]patch.Image{i}), lacks)
}

// A SiteImageID is the image that a site's parent has.
type SiteImageID struct {
	Site string        `json:"site"`
	ID   digest.Digest `json:"id"`
}

// divergences tells of images that are made once for sites whose parents have
// different ones: the sites get the same layers, and what one of them might have
// kept it gets anew.
func divergences(p *Plan) {
	have := make(map[string][]SiteImageID)
	for _, s := range p.Sites {
		for _, c := range s.Images {
			if c.Address != "" && c.OldID != "" {
				have[c.Address] = append(have[c.Address], SiteImageID{s.Name, c.OldID})
			}
		}
	}
	for _, i := range p.Images {
		all := have[i.Address]
		if i.Action == ActionMake && slices.ContainsFunc(all, func(o SiteImageID) bool { return o.ID != all[0].ID }) {
			i.Diverging = all
		}
	}
}
