package executor

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
	"github.com/flotobuild/flotobuild/store"
)

// draft decides what the patch of a site holds; nil where the site lacks
// nothing.
func (r *run) draft(ctx context.Context, s *planner.SitePlan) (*draft, error) {
	parent := r.parents.description(s.Name)
	images, err := r.siteImages(ctx, s, parent)
	if err != nil {
		return nil, err
	}
	ids := make(map[string]digest.Digest)
	for _, i := range images {
		ids[i.Name] = i.ID
	}
	if s.Change == planner.ChangeNone || !planner.Changed(s, parent, ids) {
		return nil, nil
	}
	d := &draft{
		site: s, parent: parent,
		small: make(map[string][]byte),
		blobs: make(map[string]digest.Digest),
		conf:  make(map[string]planner.File),
	}
	return d, r.describe(d, images)
}

// siteImages describes the site's images: those of the parent where nothing
// changes, else what was made.
func (r *run) siteImages(ctx context.Context, s *planner.SitePlan, parent *patch.Description) ([]patch.Image, error) {
	var old []patch.Image
	if parent != nil {
		old = parent.Flotobuild.Images
	}
	has := layerSet(old)
	var images []patch.Image
	for _, c := range s.Images {
		if c.Change == planner.ChangeRemove {
			continue
		}
		img, err := r.siteImage(ctx, s.Name, c, old, has)
		if err != nil {
			return nil, err
		}
		images = append(images, img)
	}
	return images, nil
}

func (r *run) siteImage(ctx context.Context, site string, c planner.ImageChange, old []patch.Image, has map[digest.Digest]patch.Layer) (patch.Image, error) {
	if c.Change == planner.ChangeNone || c.From != "" {
		name := c.Name
		if c.From != "" {
			name = c.From
		}
		i := slices.IndexFunc(old, func(i patch.Image) bool { return i.Name == name })
		if i < 0 {
			return patch.Image{}, fmt.Errorf("the plan takes image %q from the parent, which has none of that name", name)
		}
		img := old[i]
		img.Name, img.Address = c.Name, c.Address
		return img, r.keepCache(ctx, site, img)
	}
	m := r.made[c.Address]
	if m == nil {
		return patch.Image{}, fmt.Errorf("the plan needs image %s and does not make it", c.Address)
	}
	img, docs, err := m.describe(c.Name, has)
	docs.keep(r.docs)
	return img, err
}

// keepCache makes sure that the cache records of an image taken over from the
// parent can travel on.
func (r *run) keepCache(ctx context.Context, site string, img patch.Image) error {
	p := r.parents.bySite[site]
	for _, c := range img.Cache {
		b, err := store.ReadBlob(ctx, p, ocispec.Descriptor{MediaType: mediaTypeCache, Digest: c.Digest, Size: c.Size})
		if err != nil {
			return fmt.Errorf("cannot read the cache records of image %q: %w", img.Name, err)
		}
		r.docs.add(mediaTypeCache, b)
	}
	return nil
}

// describe fills in the description and where each entry comes from.
func (r *run) describe(d *draft, images []patch.Image) error {
	s, created := d.site, patch.NewTime(r.opts.created())
	revision := s.Patch.Revision(r.plan.Project)
	desc := &patch.Description{
		CreationDate:       created,
		ID:                 patch.NewID(created.Time, revision, s.Name),
		Revision:           revision,
		Name:               s.Patch.Name,
		Comment:            s.Patch.Comment,
		SiteName:           s.Name,
		RootDefinitionFile: s.RootDefinitionFile,
		Author:             r.plan.Project.Author,
		Producer:           r.opts.Producer,
	}
	desc.Flotobuild.FormatVersion = patch.FormatVersion
	desc.Flotobuild.Version = s.Patch.Version
	desc.Flotobuild.Parents = s.Parents
	var parents []*patch.Description
	if p := d.parent; p != nil {
		if p.ID == desc.ID {
			return errors.New("the parent has the same id: the new patch must have another creation date or revision")
		}
		desc.ParentID, desc.ParentRevision, desc.ParentName = p.ID, p.Revision, p.Name
		parents = append(parents, p)
		desc.Flotobuild.RemovedImages = removed(p, images)
	}
	desc.SetImages(images, parents)
	d.desc = desc
	if err := r.render(d); err != nil {
		return err
	}
	desc.SetContents(r.contents(d, desc.Flotobuild.Images))
	return nil
}

// render adds the manifest and the documents.
func (r *run) render(d *draft) error {
	if r.opts.Render == nil {
		return nil
	}
	files, err := r.opts.Render(d.site.Name, d.desc.ImageMap, planner.PatchInfo{
		ID: d.desc.ID, Version: d.site.Patch.Version, Revision: d.desc.Revision, Parent: d.desc.ParentID,
	})
	for name, b := range files {
		if !planner.IsManifest(name) {
			return fmt.Errorf("%q is no place for manifests and documents", name)
		}
		d.small[name] = b
	}
	return err
}

func removed(parent *patch.Description, images []patch.Image) []patch.RemovedImage {
	var out []patch.RemovedImage
	for _, old := range parent.Flotobuild.Images {
		if !slices.ContainsFunc(images, func(i patch.Image) bool { return i.Name == old.Name }) {
			out = append(out, patch.RemovedImage{Name: old.Name, ID: old.ID})
		}
	}
	return out
}

// contents lists the entries of the patch.
func (r *run) contents(d *draft, images []patch.Image) []patch.Content {
	var out []patch.Content
	for _, f := range d.site.Site.Conf {
		name := patch.ConfDir + f.Path
		d.conf[name] = f
		out = append(out, patch.Content{Path: name, Size: f.Size, SHA256: f.Digest.Encoded(), Mode: patch.Mode(f.Mode)})
	}
	describe, timestamp := r.plan.Project.Revision, r.plan.Project.Timestamp
	for name, text := range map[string]string{patch.GitDescribe: describe, patch.GitTimestamp: timestamp} {
		if text != "" {
			d.small[name] = []byte(text + "\n")
		}
	}
	for name, b := range d.small {
		out = append(out, patch.NewContent(name, b))
	}
	layers := make(map[digest.Digest]digest.Digest) // blob → diff id
	for _, l := range layerSet(images) {
		layers[l.Digest] = l.DiffID
	}
	for _, b := range newBlobs(d.parent, images) {
		c := patch.NewBlobContent(b.Digest, b.Size)
		d.blobs[c.Path] = b.Digest
		out = append(out, c)
		if id, ok := layers[b.Digest]; ok {
			d.desc.Flotobuild.Transport = append(d.desc.Flotobuild.Transport, patch.LayerTransport{DiffID: id, Kind: patch.TransportFull})
		}
	}
	return out
}

// newBlobs lists the blobs of images that a parent's site lacks. Cache records
// travel in every patch: the newest alone must serve as build cache.
func newBlobs(parent *patch.Description, images []patch.Image) []ocispec.Descriptor {
	old := make(map[digest.Digest]bool)
	if parent != nil {
		for _, b := range patch.Blobs(parent.Flotobuild.Images) {
			old[b.Digest] = true
		}
	}
	for _, i := range images {
		for _, c := range i.Cache {
			old[c.Digest] = false
		}
	}
	return slices.DeleteFunc(patch.Blobs(images), func(b ocispec.Descriptor) bool { return old[b.Digest] })
}
