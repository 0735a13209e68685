package executor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
	"github.com/flotobuild/flotobuild/store"
)

// draft decides what the patch of a site holds; nil where the site lacks
// nothing.
func (r *run) draft(ctx context.Context, s *planner.SitePlan) (*draft, error) {
	parents := r.parents.bySite[s.Name]
	images, err := r.siteImages(ctx, s)
	if err != nil {
		return nil, err
	}
	if err := checkExact(s, images); err != nil {
		return nil, err
	}
	ids := make(map[string]digest.Digest)
	for _, i := range images {
		ids[i.Name] = i.ID
	}
	if s.Change == planner.ChangeNone || !planner.Changed(s, parents, ids) {
		return nil, nil
	}
	d := &draft{
		site: s, parents: parents,
		small:  make(map[string][]byte),
		blobs:  make(map[string]digest.Digest),
		layers: make(map[digest.Digest]digest.Digest),
		conf:   make(map[string]planner.File),
	}
	return d, r.describe(ctx, d, images)
}

// siteImages describes the site's images: those of the parent where nothing
// changes, else what was made.
func (r *run) siteImages(ctx context.Context, s *planner.SitePlan) ([]patch.Image, error) {
	var old []patch.Image
	if parent := r.parents.first(s.Name); parent != nil {
		old = parent.Flotobuild.Images
	}
	has := maps.Clone(r.converted)
	maps.Copy(has, r.parents.layers(s.Name))
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
	if !c.Made() {
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
		err := r.keepCache(ctx, site, &img)
		return img, err
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
// parent can travel on. Where the parent's description alone is at hand, they
// cannot, and the image goes without them.
func (r *run) keepCache(ctx context.Context, site string, img *patch.Image) error {
	var kept []patch.CacheRef
	for _, c := range img.Cache {
		b, err := store.ReadBlob(ctx, r.parents.all, ocispec.Descriptor{MediaType: mediaTypeCache, Digest: c.Digest, Size: c.Size})
		if isNotFound(err) && r.parents.bare[site] {
			continue
		}
		if err != nil {
			return fmt.Errorf("cannot read the cache records of image %q: %w", img.Name, err)
		}
		r.docs.add(mediaTypeCache, b)
		kept = append(kept, c)
	}
	img.Cache = kept
	return nil
}

// describe fills in the description and where each entry comes from.
func (r *run) describe(ctx context.Context, d *draft, images []patch.Image) error {
	s := d.site
	at, err := r.created(s.Name)
	if err != nil {
		return err
	}
	created := patch.NewTime(at)
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
	desc.Flotobuild.Version = s.Patch.Version
	desc.Flotobuild.Parents = s.Parents
	if len(d.parents) > 0 {
		p := d.parents[0]
		desc.ParentID, desc.ParentRevision, desc.ParentName = p.Ref("").ID, p.Revision, p.Name
	}
	desc.Flotobuild.RemovedImages = removed(d.parents, images)
	desc.SetImages(images, d.parents)
	desc.Flotobuild.Bases = r.basesOf(ctx, desc.Flotobuild.Images, d)
	d.desc = desc
	if err := r.render(d); err != nil {
		return err
	}
	if err := r.provenance(d); err != nil {
		return err
	}
	if err := r.packageLists(ctx, d); err != nil {
		return err
	}
	envelopes, err := r.envelopeContents(d)
	if err != nil {
		return err
	}
	deltas, err := r.deltas(ctx, d)
	if err != nil {
		return fmt.Errorf("cannot make deltas: %w", err)
	}
	d.deltas = deltas
	desc.SetContents(append(r.contents(d, desc.Flotobuild.Images), envelopes...))
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

// removed lists the images that any parent has and that are required no more;
// a name once, as the first parent has it.
func removed(parents []*patch.Description, images []patch.Image) []patch.RemovedImage {
	seen := make(map[string]bool)
	for _, i := range images {
		seen[i.Name] = true
	}
	var out []patch.RemovedImage
	for _, p := range parents {
		for _, old := range p.Flotobuild.Images {
			if !seen[old.Name] {
				seen[old.Name] = true
				out = append(out, patch.RemovedImage{Name: old.Name, ID: old.ID})
			}
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
	for _, b := range newBlobs(d.parents, d.desc) {
		if k, ok := d.deltas[b.Digest]; ok {
			c := patch.NewDeltaContent(k.Transport.Delta.Digest, k.Size)
			d.blobs[c.Path], d.layers[c.Digest()] = c.Digest(), b.Digest
			out = append(out, c)
			d.desc.Flotobuild.Transport = append(d.desc.Flotobuild.Transport, *k.Transport)
			continue
		}
		c := patch.NewBlobContent(b.Digest, b.Size)
		d.blobs[c.Path] = b.Digest
		out = append(out, c)
		if id, ok := layers[b.Digest]; ok {
			d.layers[b.Digest] = b.Digest
			d.desc.Flotobuild.Transport = append(d.desc.Flotobuild.Transport, patch.LayerTransport{DiffID: id, Kind: patch.TransportFull})
		}
	}
	return out
}

// newBlobs lists the blobs of images that a site lacks at any of the parents,
// and the records, which travel in every patch.
func newBlobs(parents []*patch.Description, d *patch.Description) []ocispec.Descriptor {
	count := make(map[digest.Digest]int)
	for _, p := range parents {
		for _, b := range patch.Blobs(p.Flotobuild.Images) {
			count[b.Digest]++
		}
	}
	old := make(map[digest.Digest]bool)
	for b, n := range count {
		old[b] = n == len(parents)
	}
	records := d.Records()
	for _, b := range records {
		old[b.Digest] = false
	}
	all := append(patch.Blobs(d.Flotobuild.Images), records...)
	slices.SortFunc(all, func(a, b ocispec.Descriptor) int { return strings.Compare(string(a.Digest), string(b.Digest)) })
	all = slices.CompactFunc(all, func(a, b ocispec.Descriptor) bool { return a.Digest == b.Digest })
	return slices.DeleteFunc(all, func(b ocispec.Descriptor) bool { return old[b.Digest] })
}

// basesOf describes what the images are built on and that is not among them:
// as this run provided it or, where it built nothing, as the parent has it.
func (r *run) basesOf(ctx context.Context, images []patch.Image, d *draft) []patch.Image {
	seen := make(map[string]bool)
	var queue []string
	for _, i := range images {
		seen[i.Address] = true
		queue = append(queue, i.Address)
	}
	var out []patch.Image
	for len(queue) > 0 {
		p := r.planned(queue[0])
		queue = queue[1:]
		if p == nil {
			continue
		}
		for _, address := range p.DependsOn {
			if seen[address] {
				continue
			}
			seen[address] = true
			queue = append(queue, address)
			if b, ok := r.knownBase(ctx, address, d); ok {
				out = append(out, b)
			}
		}
	}
	slices.SortFunc(out, func(a, b patch.Image) int { return strings.Compare(a.Address, b.Address) })
	return out
}

func (r *run) knownBase(ctx context.Context, address string, d *draft) (patch.Image, bool) {
	if b, ok := r.bases[address]; ok {
		return b, true
	}
	if len(d.parents) == 0 {
		return patch.Image{}, false
	}
	bases := d.parents[0].Flotobuild.Bases
	n := slices.IndexFunc(bases, func(i patch.Image) bool { return i.Address == address })
	if n < 0 {
		return patch.Image{}, false
	}
	return bases[n], !r.parents.bare[d.site.Name] || r.hasDocuments(ctx, bases[n])
}

// hasDocuments tells whether what a patch records of a base is at hand. It may
// not be where the description of the parent is all there is of it.
func (r *run) hasDocuments(ctx context.Context, base patch.Image) bool {
	return !slices.ContainsFunc(documentsOf(base), func(b ocispec.Descriptor) bool { return !r.readable(ctx, b.Digest) })
}
