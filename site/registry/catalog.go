package registry

import (
	"maps"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/patch"
)

// A catalog is what a registry has. It does not change once it is made.
type catalog struct {
	names []string // sorted
	repos map[string]*repository
}

// A repository is what there is of one image.
type repository struct {
	tags      map[string]ocispec.Descriptor
	manifests map[digest.Digest]ocispec.Descriptor
	blobs     map[digest.Digest]int64 // sizes of configs and layers
}

// A part is what a catalog needs to know of a patch.
type part struct {
	*patch.Description // its images alone, without what they were made from
	active             bool
}

// slim leaves out of a description what a catalog does not need: there are many.
func slim(d *patch.Description) *patch.Description {
	out := &patch.Description{ID: d.ID, CreationDate: d.CreationDate}
	out.Flotobuild.Version = d.Flotobuild.Version
	for _, i := range d.Flotobuild.Images {
		out.Flotobuild.Images = append(out.Flotobuild.Images, patch.Image{Name: i.Name, Descriptor: i.Descriptor, Manifests: i.Manifests})
	}
	return out
}

// newCatalog makes the catalog of patches.
func newCatalog(parts []part) *catalog {
	images := make(map[string]bool)
	for _, p := range parts {
		for _, i := range p.Flotobuild.Images {
			images[i.Name] = true
		}
	}
	names := repositoryNames(images)
	c := &catalog{repos: make(map[string]*repository)}
	for _, p := range parts {
		for _, i := range p.Flotobuild.Images {
			c.repository(names[i.Name]).add(i)
		}
	}
	c.tag(parts, names)
	c.names = slices.Sorted(maps.Keys(c.repos))
	return c
}

// tag sets the tags in an order in which the later ones count: versions of older
// patches, versions of newer ones, ids, "active".
func (c *catalog) tag(parts []part, names map[string]string) {
	byAge := slices.SortedStableFunc(slices.Values(parts), func(a, b part) int { return patch.Older(a.Description, b.Description) })
	set := func(p part, tag string) {
		for _, i := range p.Flotobuild.Images {
			c.repos[names[i.Name]].tags[tag] = i.Descriptor
		}
	}
	for _, p := range byAge {
		if v := p.Flotobuild.Version; v != "" {
			set(p, tagOf(v))
		}
	}
	for _, p := range byAge {
		set(p, tagOf(p.ID))
	}
	for _, p := range byAge {
		if p.active {
			set(p, activeTag)
		}
	}
}

func (c *catalog) repository(name string) *repository {
	r := c.repos[name]
	if r == nil {
		r = &repository{
			tags:      make(map[string]ocispec.Descriptor),
			manifests: make(map[digest.Digest]ocispec.Descriptor),
			blobs:     make(map[digest.Digest]int64),
		}
		c.repos[name] = r
	}
	return r
}

func (r *repository) add(i patch.Image) {
	r.manifests[i.Descriptor.Digest] = i.Descriptor
	for _, m := range i.Manifests {
		r.manifests[m.Descriptor.Digest] = m.Descriptor
		r.blobs[m.Config.Digest] = m.Config.Size
		for _, l := range m.Layers {
			r.blobs[l.Digest] = l.Size
		}
	}
}
