package patch

import (
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/store"
)

// Required computes requiredImageIds: the images' ids, the digests of their
// configs, and the diff ids of their layers, sorted, each once.
func Required(images []Image) []digest.Digest {
	ids := make(map[digest.Digest]bool)
	for _, i := range images {
		ids[i.ID] = true
		for _, m := range i.Manifests {
			ids[m.Config.Digest] = true
			for _, l := range m.Layers {
				ids[l.DiffID] = true
			}
		}
	}
	return sorted(ids)
}

// Contained computes containedImageIds: what is required less what the sites
// of all parents have. Without parents everything is contained.
func Contained(required []digest.Digest, parents []*Description) []digest.Digest {
	missing := make(map[digest.Digest]bool)
	for _, id := range required {
		missing[id] = len(parents) == 0
	}
	for _, p := range parents {
		has := set(p.RequiredImageIDs)
		for _, id := range required {
			missing[id] = missing[id] || !has[id]
		}
	}
	maps.DeleteFunc(missing, func(_ digest.Digest, m bool) bool { return !m })
	return sorted(missing)
}

func sorted(ids map[digest.Digest]bool) []digest.Digest {
	out := slices.Sorted(maps.Keys(ids))
	if out == nil {
		out = []digest.Digest{}
	}
	return out
}

func set(ids []digest.Digest) map[digest.Digest]bool {
	m := make(map[digest.Digest]bool, len(ids))
	for _, id := range ids {
		m[id] = true
	}
	return m
}

// SetImages records the images, sorted by name, with all that follows from
// them: imageMap, requiredImageIds and containedImageIds.
func (d *Description) SetImages(images []Image, parents []*Description) {
	d.Flotobuild.Images = slices.SortedFunc(slices.Values(images), func(a, b Image) int { return strings.Compare(a.Name, b.Name) })
	d.ImageMap = make(map[string]digest.Digest, len(images))
	for _, i := range images {
		d.ImageMap[i.Name] = i.ID
	}
	d.RequiredImageIDs = Required(images)
	d.ContainedImageIDs = Contained(d.RequiredImageIDs, parents)
}

// Blobs gives the descriptors of all blobs of the images, each once, sorted by
// digest: what a complete layout holds. Cache records are among them.
func Blobs(images []Image) []ocispec.Descriptor {
	all := make(map[digest.Digest]ocispec.Descriptor)
	for _, i := range images {
		all[i.Descriptor.Digest] = i.Descriptor
		for _, c := range i.Cache {
			all[c.Digest] = ocispec.Descriptor{Digest: c.Digest, Size: c.Size}
		}
		for _, m := range i.Manifests {
			all[m.Descriptor.Digest] = m.Descriptor
			all[m.Config.Digest] = m.Config
			for _, l := range m.Layers {
				all[l.Digest] = l.Descriptor()
			}
		}
	}
	return slices.SortedFunc(maps.Values(all), func(a, b ocispec.Descriptor) int {
		return strings.Compare(string(a.Digest), string(b.Digest))
	})
}

// Descriptor describes the layer's blob.
func (l Layer) Descriptor() ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: l.MediaType, Digest: l.Digest, Size: l.Size}
}

// indexFile is the content of images/index.json: every required image by name.
func indexFile(images []Image) []byte {
	var all []ocispec.Descriptor
	for _, i := range images {
		d := i.Descriptor
		d.Annotations = maps.Clone(d.Annotations)
		if d.Annotations == nil {
			d.Annotations = make(map[string]string)
		}
		d.Annotations[ocispec.AnnotationRefName] = i.Name
		all = append(all, d)
	}
	b, _ := store.NewIndex(all)
	return b
}
