package executor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/executor/parent"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/layers"
	"github.com/flotobuild/flotobuild/planner"
	"github.com/flotobuild/flotobuild/store"
)

// parents are the patches that the sites have: the plan's, and behind them
// their own parents as far as they stand in the same folder, for their layers.
type parents struct {
	opener patch.Opener
	bySite map[string][]*patch.Description // in the plan's order
	bare   map[string]bool                 // sites with a parent of which the description alone is at hand
	files  []*patch.Reader
	all    sources
	// layersOf has the layers of all of them, and makes those of deltas.
	layersOf *layers.Source
}

// openParents opens the parents of all sites. A parent that is not the one that
// the plan was made against is refused.
func openParents(ctx context.Context, plan *planner.Plan, o patch.Opener, dir string, path func(string) string) (*parents, error) {
	p := &parents{opener: o, bySite: make(map[string][]*patch.Description), bare: make(map[string]bool), layersOf: layers.New(dir)}
	known := make(map[digest.Digest]*patch.Reader)
	for _, s := range plan.Sites {
		for i, ref := range s.Parents {
			if i >= len(s.ParentFiles) {
				return nil, errors.Join(fmt.Errorf("the plan names no file for the parent %q of site %q", ref.ID, s.Name), p.close())
			}
			location := s.ParentFiles[i]
			if !strings.HasPrefix(location, parent.Scheme) {
				location = path(location)
			}
			d, bare, err := p.open(ctx, location, ref, known)
			if err != nil {
				return nil, errors.Join(fmt.Errorf("cannot use the parent of site %q: %w", s.Name, err), p.close())
			}
			p.bySite[s.Name] = append(p.bySite[s.Name], d)
			p.bare[s.Name] = p.bare[s.Name] || bare
		}
	}
	p.all = append(p.all, p.layersOf)
	return p, nil
}

// open gives the description of a parent, and tells whether that alone is at hand.
func (p *parents) open(ctx context.Context, location string, ref patch.ParentRef, known map[digest.Digest]*patch.Reader) (*patch.Description, bool, error) {
	if r := known[ref.DescriptionDigest]; r != nil {
		return r.Description, false, nil
	}
	o, err := parent.Open(ctx, location, p.opener)
	if err != nil {
		return nil, false, err
	}
	if !o.Is(ref) {
		o.Close()
		return nil, false, fmt.Errorf("%q has changed since the plan was made: plan again", location)
	}
	if o.Patch == nil {
		return o.Description, true, nil
	}
	p.add(location, o.Patch, known)
	p.ancestors(filepath.Dir(location), o.Patch, known)
	return o.Description, false, nil
}

func (p *parents) add(file string, r *patch.Reader, known map[digest.Digest]*patch.Reader) {
	known[r.Digest], known[r.Ref().DescriptionDigest] = r, r
	p.files = append(p.files, r)
	p.all = append(p.all, namedSource{r, file})
	p.layersOf.Add(r)
}

// ancestors opens the chain behind r. Files that are missing or unreadable end
// it: a build then does without their layers.
func (p *parents) ancestors(dir string, r *patch.Reader, known map[digest.Digest]*patch.Reader) {
	files, err := p.opener.List(dir)
	if err != nil {
		return
	}
	byDigest := make(map[digest.Digest]string)
	for _, f := range files {
		if f.Header != nil {
			byDigest[f.Header.Ref().DescriptionDigest] = f.Path
		}
	}
	for _, f := range files {
		if f.Header != nil {
			byDigest[f.Header.Digest] = f.Path // rather than one that stands for it
		}
	}
	queue := r.Description.Flotobuild.Parents
	for len(queue) > 0 {
		ref := queue[0]
		queue = queue[1:]
		file, ok := byDigest[ref.DescriptionDigest]
		if !ok || known[ref.DescriptionDigest] != nil {
			continue
		}
		a, err := p.opener.Open(file)
		if err != nil {
			continue
		}
		if a.Lost() != nil {
			a.Close()
			continue
		}
		p.add(file, a, known)
		queue = append(queue, a.Description.Flotobuild.Parents...)
	}
}

func (p *parents) close() error {
	errs := []error{p.layersOf.Close()}
	for _, r := range p.files {
		errs = append(errs, r.Close())
	}
	return errors.Join(errs...)
}

// A namedSource names its file in errors.
type namedSource struct {
	*patch.Reader
	file string
}

// Blob implements store.Source.
func (s namedSource) Blob(ctx context.Context, d digest.Digest) (store.Blob, error) {
	b, err := s.Reader.Blob(ctx, d)
	if err != nil && !isNotFound(err) {
		return nil, fmt.Errorf("%q: %w", s.file, err)
	}
	return b, err
}

// first describes the parent that a site's patch is compared with; nil for a
// site that has none.
func (p *parents) first(site string) *patch.Description {
	if all := p.bySite[site]; len(all) > 0 {
		return all[0]
	}
	return nil
}

// layers gives the layers that the site has whichever of its parents it is at,
// by diff id: every parent has the same blob.
func (p *parents) layers(site string) map[digest.Digest]patch.Layer {
	all := p.bySite[site]
	if len(all) == 0 {
		return make(map[digest.Digest]patch.Layer)
	}
	out := layerSet(all[0].Flotobuild.Images)
	for _, d := range all[1:] {
		has := layerSet(d.Flotobuild.Images)
		maps.DeleteFunc(out, func(id digest.Digest, l patch.Layer) bool { return has[id].Digest != l.Digest })
	}
	return out
}

// cacheRefs lists the cache records that help to build an image: those of the
// parents' images of the same address or, where there is none, of all images.
func (p *parents) cacheRefs(address string) []patch.CacheRef {
	var same, all []patch.CacheRef
	seen := make(map[digest.Digest]bool)
	for _, r := range p.files {
		for _, i := range described(r.Description) {
			for _, c := range i.Cache {
				if seen[c.Digest] {
					continue
				}
				seen[c.Digest] = true
				all = append(all, c)
				if i.Address == address {
					same = append(same, c)
				}
			}
		}
	}
	if len(same) > 0 {
		return same
	}
	return all
}

// image finds a parent's image with the same inputs, of which every blob is at
// hand, so that it can serve as a base without being made again.
func (p *parents) image(ctx context.Context, img *planner.Image) (patch.Image, bool) {
	for _, r := range p.files {
		for _, i := range described(r.Description) {
			if i.Fingerprint != nil && i.Fingerprint.Digest == img.Fingerprint.Digest && p.holds(ctx, i) {
				return i, true
			}
		}
	}
	return patch.Image{}, false
}

// described lists the images and the bases of a patch.
func described(d *patch.Description) []patch.Image {
	return append(slices.Clone(d.Flotobuild.Images), d.Flotobuild.Bases...)
}

func (p *parents) holds(ctx context.Context, i patch.Image) bool {
	for _, d := range patch.Blobs([]patch.Image{i}) {
		b, err := p.all.Blob(ctx, d.Digest)
		if err != nil {
			return false
		}
		b.Close()
	}
	return true
}

// cacheImports offers the parents' cache records for the build of an image.
func (r *run) cacheImports(ctx context.Context, img *planner.ImagePlan) ([]ocispec.Descriptor, error) {
	var out []ocispec.Descriptor
	for _, ref := range r.parents.cacheRefs(img.Address) {
		desc, err := importCache(ctx, r.docs, r.parents.all, ref)
		if isNotFound(err) {
			continue
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			r.warn("a parent of %s cannot serve as build cache, so that steps which did not change may give new layers: %v", img.Address, err)
			continue
		}
		out = append(out, desc)
	}
	return out, nil
}
