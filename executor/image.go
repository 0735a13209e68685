package executor

import (
	"fmt"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	cachetypes "github.com/moby/buildkit/cache/remotecache/v1/types"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/planner"
	"github.com/flotobuild/flotobuild/store"
)

const timeLayout = time.RFC3339Nano

// createdNever stands for the time of a cache record: none.
var createdNever = time.Unix(0, 0).UTC()

// A made image is what building, importing or fetching gave: everything that a
// patch needs to know of it, with the layers' bytes still where they are.
type made struct {
	plan      *planner.ImagePlan
	platforms []platformImage // in the plan's order
	// multi says that the image is an index although it may have one platform.
	multi bool
	// steps and cached count build steps.
	steps, cached int
}

// A platformImage is one platform of a made image.
type platformImage struct {
	platform   string
	config     []byte
	configType string
	history    []ocispec.History
	layers     []patch.Layer // base first
	records    []cachetypes.CacheRecord
	// manifest is set for images that others made: their bytes are kept.
	manifest     []byte
	manifestType string
}

// blobs are the documents of one image in one patch: manifests, index, configs
// and cache records.
type blobs struct{ docs []document }

// keep puts the documents where engine and patches find them.
func (b *blobs) keep(docs *documents) {
	for _, d := range b.docs {
		docs.add(d.desc.MediaType, d.data)
	}
}

type document struct {
	desc ocispec.Descriptor
	data []byte
}

// describe gives the image as a patch for a site describes it, with its
// documents. has maps the diff ids of layers that the site has to their blobs:
// the manifest names those, so that nothing is sent twice for being compressed
// in another way.
func (m *made) describe(name string, has map[digest.Digest]patch.Layer) (patch.Image, blobs, error) {
	img := patch.Image{Name: name, Address: m.plan.Address, Fingerprint: &m.plan.Fingerprint}
	var out blobs
	var manifests []ocispec.Descriptor
	for _, p := range m.platforms {
		pm, cache, err := p.describe(has, &out)
		if err != nil {
			return img, out, fmt.Errorf("%s: %w", m.plan.Address, err)
		}
		if cache != nil {
			img.Cache = append(img.Cache, *cache)
		}
		img.Manifests = append(img.Manifests, pm)
		manifests = append(manifests, pm.Descriptor)
	}
	if !m.multi && len(m.platforms) == 1 {
		img.ID = img.Manifests[0].Config.Digest
		img.Descriptor = manifests[0]
		return img, out, nil
	}
	data, desc := store.NewIndex(manifests)
	out.docs = append(out.docs, document{desc, data})
	img.ID, img.Descriptor = desc.Digest, desc
	return img, out, nil
}

func (p *platformImage) describe(has map[digest.Digest]patch.Layer, out *blobs) (patch.Manifest, *patch.CacheRef, error) {
	layers, data := p.layers, p.manifest
	config := store.Describe(p.configType, p.config)
	var desc ocispec.Descriptor
	if data == nil {
		layers = preferred(p.layers, has)
		data, desc = store.NewManifest(config, descriptors(layers))
	} else {
		desc = store.Describe(p.manifestType, data)
	}
	platform, err := parsePlatform(p.platform)
	if err != nil {
		return patch.Manifest{}, nil, err
	}
	desc.Platform = platform
	out.docs = append(out.docs, document{desc, data}, document{config, p.config})
	m := patch.Manifest{Platform: p.platform, Descriptor: desc, Config: config, Layers: layers}
	if len(p.records) == 0 {
		return m, nil, nil
	}
	b, err := newCacheDocument(layers, p.history, p.records)
	if err != nil {
		return patch.Manifest{}, nil, err
	}
	cache := store.Describe(mediaTypeCache, b)
	out.docs = append(out.docs, document{cache, b})
	return m, &patch.CacheRef{Platform: p.platform, Digest: cache.Digest, Size: cache.Size}, nil
}

// preferred replaces layers by the blobs that the site has of them.
func preferred(layers []patch.Layer, has map[digest.Digest]patch.Layer) []patch.Layer {
	out := make([]patch.Layer, len(layers))
	for i, l := range layers {
		if p, ok := has[l.DiffID]; ok {
			l.Digest, l.MediaType, l.Size = p.Digest, p.MediaType, p.Size
		}
		out[i] = l
	}
	return out
}

func descriptors(layers []patch.Layer) []ocispec.Descriptor {
	out := make([]ocispec.Descriptor, len(layers))
	for i, l := range layers {
		out[i] = ocispec.Descriptor{MediaType: l.MediaType, Digest: l.Digest, Size: l.Size}
	}
	return out
}

// layersOf joins diff ids, blobs and build steps of an image.
func layersOf(config *ocispec.Image, blobs []ocispec.Descriptor) ([]patch.Layer, error) {
	ids := config.RootFS.DiffIDs
	if len(ids) != len(blobs) {
		return nil, fmt.Errorf("the image's config lists %d layers, its manifest %d", len(ids), len(blobs))
	}
	steps := layerSteps(config.History, len(ids))
	layers := make([]patch.Layer, len(ids))
	for i, b := range blobs {
		layers[i] = patch.Layer{DiffID: ids[i], Digest: b.Digest, MediaType: b.MediaType, Size: b.Size}
		if steps[i] != nil {
			layers[i].CreatedBy = steps[i].CreatedBy
		}
	}
	return layers, nil
}
