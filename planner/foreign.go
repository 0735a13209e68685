package planner

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
)

// A foreignImage is an image of others that one of the project's comes from.
type foreignImage struct {
	ref    string // as the configuration or the Dockerfile has it, without a scheme for registries
	digest digest.Digest
	user   string // address of the image that names it
}

// foreign lists the images of others that an image names itself: what it is
// vendored from, what its Dockerfile names, and contexts. Sorted by reference.
func (i *Image) foreign() []foreignImage {
	var out []foreignImage
	add := func(ref string, d digest.Digest) { out = append(out, foreignImage{ref, d, i.Address}) }
	if i.Source != nil {
		add(i.Source.Ref, i.Source.Digest)
	}
	if i.Build != nil {
		for ref, d := range i.Build.Pins {
			add(ref, d)
		}
		for _, c := range i.Build.Contexts {
			name, d, ok := strings.Cut(strings.TrimPrefix(c.Ref, imageScheme), "@")
			if ok {
				add(name, digest.Digest(d))
			}
		}
	}
	slices.SortFunc(out, func(a, b foreignImage) int {
		return cmp.Or(cmp.Compare(a.ref, b.ref), cmp.Compare(a.digest, b.digest))
	})
	return out
}

// foreignOf lists the images of others that a site's images come from, those of
// what they are built on included; by the address of the image that names them.
func foreignOf(images map[string]*Image, s *Site) []foreignImage {
	seen := make(map[string]bool)
	var visit func(address string)
	visit = func(address string) {
		i := images[address]
		if i == nil || seen[address] {
			return
		}
		seen[address] = true
		for _, d := range i.DependsOn {
			visit(d)
		}
	}
	for _, i := range s.Images {
		visit(i.Address)
	}
	var out []foreignImage
	for _, address := range slices.Sorted(maps.Keys(seen)) {
		out = append(out, images[address].foreign()...)
	}
	return out
}

// repository gives the full name of a registry reference's repository, such as
// docker.io/library/alpine; false for OCI layouts, which are in no registry.
func repository(ref string) (string, bool) {
	if IsLayout(ref) {
		return "", false
	}
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return ref, true
	}
	return reference.TrimNamed(named).Name(), true
}
