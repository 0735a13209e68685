package patch

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Records gives the descriptors of the blobs that travel in every patch, each
// once, sorted by digest: the cache records of all images, and the manifests
// and configs of the bases. With them the newest patch alone tells a build what
// the one before it made.
func (d *Description) Records() []ocispec.Descriptor {
	all := make(map[digest.Digest]ocispec.Descriptor)
	add := func(b ocispec.Descriptor) { all[b.Digest] = b }
	for _, i := range append(slices.Clone(d.Flotobuild.Images), d.Flotobuild.Bases...) {
		for _, c := range i.Cache {
			add(ocispec.Descriptor{Digest: c.Digest, Size: c.Size})
		}
	}
	for _, i := range d.Flotobuild.Bases {
		add(i.Descriptor)
		for _, m := range i.Manifests {
			add(m.Descriptor)
			add(m.Config)
		}
	}
	return slices.SortedFunc(maps.Values(all), func(a, b ocispec.Descriptor) int {
		return strings.Compare(string(a.Digest), string(b.Digest))
	})
}

func (d *Description) checkBases() error {
	bases := d.Flotobuild.Bases
	for n, b := range bases {
		if n > 0 && bases[n-1].Address >= b.Address {
			return fmt.Errorf("base %q stands behind %q: bases must be sorted by address, each once", b.Address, bases[n-1].Address)
		}
		if err := b.check(); err != nil {
			return fmt.Errorf("base %q: %w", b.Address, err)
		}
	}
	return nil
}

// checkRecords checks that what must travel in every patch is listed.
func (d *Description) checkRecords(listed map[string]bool) error {
	for _, b := range d.Records() {
		if e := BlobEntry(b.Digest); !listed[e] {
			return fmt.Errorf("entry %q, which records how images were built, is not listed", e)
		}
	}
	return nil
}
