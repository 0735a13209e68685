package planner

import (
	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
)

// bySite groups parents by their site, in the order given.
func bySite(parents []*patch.Description) map[string][]*patch.Description {
	out := make(map[string][]*patch.Description)
	for _, p := range parents {
		if p != nil {
			out[p.SiteName] = append(out[p.SiteName], p)
		}
	}
	return out
}

// An index finds the images of a description without a look at all of them.
// Where several would do, the first counts.
type index struct {
	byName    map[string]*patch.Image
	byAddress map[string]*patch.Image // bases, too
	byInputs  map[digest.Digest][]*patch.Image
}

// indexes are made when they are needed.
type indexes map[*patch.Description]*index

// of gives the index of a description; nil stands for one without images.
func (x indexes) of(d *patch.Description) *index {
	if i := x[d]; i != nil {
		return i
	}
	i := &index{byName: make(map[string]*patch.Image), byAddress: make(map[string]*patch.Image), byInputs: make(map[digest.Digest][]*patch.Image)}
	if d != nil {
		i.add(d.Flotobuild.Images, d.Flotobuild.Bases)
	}
	x[d] = i
	return i
}

func (i *index) add(images, bases []patch.Image) {
	for n := range images {
		img := &images[n]
		if i.byName[img.Name] == nil {
			i.byName[img.Name] = img
		}
		if f := img.Fingerprint; f != nil {
			i.byInputs[f.Digest] = append(i.byInputs[f.Digest], img)
		}
	}
	for _, list := range [][]patch.Image{images, bases} {
		for n := range list {
			if i.byAddress[list[n].Address] == nil {
				i.byAddress[list[n].Address] = &list[n]
			}
		}
	}
}

// first is the parent that is compared with; nil where there is none.
func first(parents []*patch.Description) *patch.Description {
	if len(parents) == 0 {
		return nil
	}
	return parents[0]
}
