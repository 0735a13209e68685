package legacy

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/store"
)

// A draft is a patch in its new form before it is written.
type draft struct {
	p           *Reader
	compression store.Compression
	header      *patch.Header
	desc        *patch.Description
	docs        map[digest.Digest][]byte // manifests and configs
	blobs       map[digest.Digest]*blob
	dropped     []string
}

// plan describes one patch; its parent has been planned before.
func (c *converter) plan(ctx context.Context, p *Reader) error {
	d := &draft{p: p, compression: c.opts.Compression, docs: make(map[digest.Digest][]byte), blobs: make(map[digest.Digest]*blob)}
	old := p.Description
	d.desc = &patch.Description{
		CreationDate: old.CreationDate.Time, ID: old.ID, Revision: old.Revision, Name: old.Name, Comment: old.Comment,
		SiteName: old.SiteName, RootDefinitionFile: old.RootDefinitionFile, Author: old.Author, Producer: old.Producer,
		Flotobuild: patch.Additions{FormatVersion: patch.FormatVersion, Version: old.Version()},
	}
	var parents []*patch.Description
	if old.ParentID != "" {
		parent := c.done[old.ParentID]
		parents = append(parents, parent.desc)
		d.desc.ParentID, d.desc.ParentRevision, d.desc.ParentName = old.ParentID, old.ParentRevision, old.ParentName
		d.desc.Flotobuild.Parents = []patch.ParentRef{parent.header.Ref()}
	}
	images, err := c.images(ctx, d)
	if err != nil {
		return err
	}
	d.desc.SetImages(images, parents)
	d.desc.Flotobuild.RemovedImages = removed(parents, images)
	if err := d.contents(ctx, parents); err != nil {
		return err
	}
	if err := d.desc.Check(); err != nil {
		return err
	}
	c.done[old.ID] = d
	return d.seal()
}

// seal notes the digest of the description, by which a child names it.
func (d *draft) seal() error {
	raw, err := patch.Encode(d.desc)
	if err != nil {
		return err
	}
	d.header = &patch.Header{Description: d.desc, Digest: digest.FromBytes(raw)}
	return nil
}

func removed(parents []*patch.Description, images []patch.Image) []patch.RemovedImage {
	var out []patch.RemovedImage
	for _, p := range parents {
		for _, old := range p.Flotobuild.Images {
			if !slices.ContainsFunc(images, func(i patch.Image) bool { return i.Name == old.Name }) {
				out = append(out, patch.RemovedImage{Name: old.Name, ID: old.ID})
			}
		}
	}
	return out
}

// images makes configs and manifests of all images of a patch.
func (c *converter) images(ctx context.Context, d *draft) ([]patch.Image, error) {
	old := d.p.Description
	var images []patch.Image
	for _, name := range slices.Sorted(maps.Keys(old.ImageMap)) {
		layers, err := chain(old.ImageMap[name], c.set.layer)
		if err != nil {
			return nil, fmt.Errorf("image %q: %w", name, err)
		}
		i, err := c.image(ctx, d, layers)
		if err != nil {
			return nil, fmt.Errorf("image %q: %w", name, err)
		}
		i.Name, i.Address = name, "floto/"+name
		images = append(images, i)
	}
	return images, nil
}

func (c *converter) image(ctx context.Context, d *draft, layers []*layer) (patch.Image, error) {
	var made []patch.Layer
	var descs []ocispec.Descriptor
	for _, l := range layers {
		b, err := c.blob(ctx, l)
		if err != nil {
			return patch.Image{}, err
		}
		if b.files {
			d.blobs[b.Digest] = b
			made, descs = append(made, b.Layer), append(descs, b.Descriptor())
		}
	}
	cfg, cd, err := config(layers, c.diffID)
	if err != nil {
		return patch.Image{}, err
	}
	manifest, md := store.NewManifest(cd, descs)
	d.docs[cd.Digest], d.docs[md.Digest] = cfg, manifest
	p, err := platform(cfg)
	if err != nil {
		return patch.Image{}, err
	}
	md.Platform = &ocispec.Platform{OS: p.OS, Architecture: p.Architecture, Variant: p.Variant}
	return patch.Image{
		ID: cd.Digest, Descriptor: md,
		Manifests: []patch.Manifest{{Platform: platforms.Format(*md.Platform), Descriptor: md, Config: cd, Layers: made}},
	}, nil
}

// contents lists conf, documents and the blobs that the parent lacks. What
// belongs to Docker's old layout, and git's own folder, stay behind: a history
// of the sources may hold what was never meant to travel.
func (d *draft) contents(ctx context.Context, parents []*patch.Description) error {
	var out []patch.Content
	for _, name := range d.p.order {
		switch {
		case name == patch.VersionEntry || name == patch.DescriptionEntry:
			continue
		case name == patch.SignatureEntry || strings.HasPrefix(name, patch.ManifestDir) || strings.HasPrefix(name, imagesDir) ||
			strings.HasPrefix(name, patch.EnvelopesDir) || strings.HasPrefix(name, patch.ConfDir+".git/"):
			if !replaced(name) {
				d.dropped = append(d.dropped, name)
			}
			continue
		}
		c, err := d.list(ctx, name)
		if err != nil {
			return err
		}
		out = append(out, c)
	}
	had := make(map[digest.Digest]bool)
	for _, p := range parents {
		for _, b := range patch.Blobs(p.Flotobuild.Images) {
			had[b.Digest] = true
		}
	}
	for _, b := range patch.Blobs(d.desc.Flotobuild.Images) {
		if had[b.Digest] {
			continue
		}
		out = append(out, patch.NewBlobContent(b.Digest, b.Size))
		if l := d.blobs[b.Digest]; l != nil {
			d.desc.Flotobuild.Transport = append(d.desc.Flotobuild.Transport, patch.LayerTransport{DiffID: l.DiffID, Kind: patch.TransportFull})
		}
	}
	d.desc.SetContents(out)
	return nil
}

// replaced tells whether the new form has the content of an entry in its own
// way.
func replaced(name string) bool {
	dir, file, _ := strings.Cut(strings.TrimPrefix(name, imagesDir), "/")
	return strings.HasPrefix(name, imagesDir) && (dir == "repositories" || file == versionFile || file == jsonFile || file == layerFile)
}

// list reads an entry for its digest.
func (d *draft) list(ctx context.Context, name string) (patch.Content, error) {
	r, err := d.p.Open(name)
	if err != nil {
		return patch.Content{}, err
	}
	defer r.Close()
	hash := sha256.New()
	n, err := verify.Copy(ctx, hash, r)
	mode := patch.ModeFile
	if d.p.files[name].Mode()&0o100 != 0 {
		mode = patch.ModeExecutable
	}
	return patch.Content{Path: name, Size: n, SHA256: hex.EncodeToString(hash.Sum(nil)), Mode: mode}, err
}

// open gives the content of a new entry.
func (d *draft) open(_ context.Context, c patch.Content) (io.ReadCloser, error) {
	if !strings.HasPrefix(c.Path, patch.BlobsDir) {
		return d.p.Open(c.Path)
	}
	if b, ok := d.docs[c.Digest()]; ok {
		return io.NopCloser(bytes.NewReader(b)), nil
	}
	if b := d.blobs[c.Digest()]; b != nil {
		return b.open(d.compression)
	}
	return nil, errors.New("nothing gives its content")
}

func (d *draft) result(path string) Converted {
	return Converted{
		File: path, ID: d.desc.ID, Images: len(d.desc.Flotobuild.Images),
		Layers: len(d.desc.Flotobuild.Transport), Dropped: d.dropped,
	}
}
