package executor

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/flotobuild/flotobuild/executor/sbom"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/store"
)

// packageListDir is the folder of the lists of packages in a patch.
const packageListDir = "sbom/"

// packageListEntry names the entry with the packages of one platform.
func packageListEntry(i patch.Image, m patch.Manifest) string {
	name := i.Name
	if len(i.Manifests) > 1 {
		name += "." + strings.ReplaceAll(m.Platform, "/", "-")
	}
	return packageListDir + name + ".spdx.json"
}

// packageLists adds a list of the packages in each image of a draft whose site
// wants them. An image that is taken from the parent keeps the list that is
// there; its layers are not read again.
func (r *run) packageLists(ctx context.Context, d *draft) error {
	if d.site.Patch.SBOM == "" {
		return nil
	}
	var lacking []string
	for _, i := range d.desc.Flotobuild.Images {
		for _, m := range i.Manifests {
			b, err := r.packageList(ctx, d, i, m)
			if err != nil {
				return err
			}
			if b == nil {
				lacking = append(lacking, i.Name)
				continue
			}
			d.small[packageListEntry(i, m)] = b
		}
	}
	if len(lacking) > 0 {
		r.warn("site %q: no list of the packages in %s: taken from a parent that has none; a patch without a parent has one for each image", d.site.Name, strings.Join(slices.Compact(lacking), ", "))
	}
	return nil
}

// packageList gives the list of one platform; nil where it is not at hand.
func (r *run) packageList(ctx context.Context, d *draft, i patch.Image, m patch.Manifest) ([]byte, error) {
	if !d.makes(i.Name) {
		return r.parents.packageList(i, m)
	}
	found, ok := r.packages[m.Descriptor.Digest]
	if !ok {
		var err error
		if found, err = sbom.Packages(ctx, r.layersOf(m)); err != nil {
			if isNotFound(err) { // a layer of a parent of which the description alone is at hand
				return nil, nil
			}
			return nil, err
		}
		r.packages[m.Descriptor.Digest] = found
	}
	about := sbom.Image{Name: i.Name, Platform: m.Platform, Manifest: m.Descriptor.Digest}
	return sbom.SPDX(about, found, r.opts.Producer, d.desc.CreationDate.Time)
}

// layersOf opens the layers of one platform, wherever they are.
func (r *run) layersOf(m patch.Manifest) []sbom.Layer {
	var out []sbom.Layer
	for _, l := range m.Layers {
		out = append(out, func(ctx context.Context) (io.ReadCloser, error) {
			b, err := r.sources.Blob(ctx, l.Digest)
			if err != nil {
				return nil, err
			}
			plain, err := store.Decompress(l.MediaType, reader(b))
			if err != nil {
				return nil, errors.Join(err, b.Close())
			}
			return struct {
				io.Reader
				io.Closer
			}{plain, closers{plain, b}}, nil
		})
	}
	return out
}

// closers close several things in order.
type closers []io.Closer

// Close implements io.Closer.
func (c closers) Close() error {
	var errs []error
	for _, o := range c {
		errs = append(errs, o.Close())
	}
	return errors.Join(errs...)
}

// packageList gives the list that a parent's file has; nil where none does.
func (p *parents) packageList(i patch.Image, m patch.Manifest) ([]byte, error) {
	for _, r := range p.files {
		for _, old := range r.Description.Flotobuild.Images {
			if old.ID != i.ID || old.Descriptor.Digest != i.Descriptor.Digest {
				continue
			}
			if b, err := smallEntry(r, packageListEntry(old, m)); b != nil || err != nil {
				return b, err
			}
		}
	}
	return nil, nil
}
