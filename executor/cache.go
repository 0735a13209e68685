package executor

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/containerd/containerd/v2/pkg/labels"
	cachetypes "github.com/moby/buildkit/cache/remotecache/v1/types"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/store"
)

// mediaTypeCache is the type of the blob that carries an image's cache records.
const mediaTypeCache = "application/vnd.flotobuild.cache.v1+json"

// inlineCacheField is where BuildKit's inline cache exporter puts the records
// in an image's config.
const inlineCacheField = "moby.buildkit.cache.v0"

// A cacheDocument is the blob of an image's cache records. Its layers are those
// of the image, with the annotations that BuildKit wants of cache layers.
type cacheDocument struct {
	Layers  []ocispec.Descriptor     `json:"layers"`
	Records []cachetypes.CacheRecord `json:"records"`
}

// splitConfig takes BuildKit's cache records out of an image config, so that
// the image's id does not depend on them.
func splitConfig(config []byte) ([]byte, []cachetypes.CacheRecord, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(config, &fields); err != nil {
		return nil, nil, fmt.Errorf("cannot parse image config: %w", err)
	}
	var packed []byte
	if raw, ok := fields[inlineCacheField]; ok {
		if err := json.Unmarshal(raw, &packed); err != nil {
			return nil, nil, fmt.Errorf("cannot parse cache records: %w", err)
		}
		delete(fields, inlineCacheField)
	}
	clean, err := json.Marshal(fields)
	if err != nil {
		return nil, nil, err
	}
	var records []cachetypes.CacheRecord
	if len(packed) > 0 {
		if err := json.Unmarshal(packed, &records); err != nil {
			return nil, nil, fmt.Errorf("cannot parse cache records: %w", err)
		}
	}
	dropTimes(records)
	return clean, records, nil
}

// dropTimes makes the records of the same steps the same bytes.
func dropTimes(records []cachetypes.CacheRecord) {
	for i := range records {
		for j := range records[i].Results {
			records[i].Results[j].CreatedAt = createdNever
		}
		for j := range records[i].ChainedResults {
			records[i].ChainedResults[j].CreatedAt = createdNever
		}
	}
}

// newCacheDocument makes the blob for an image with these layers; history is
// that of its config.
func newCacheDocument(layers []patch.Layer, history []ocispec.History, records []cachetypes.CacheRecord) ([]byte, error) {
	steps := layerSteps(history, len(layers))
	d := cacheDocument{Records: records}
	for i, l := range layers {
		a := map[string]string{labels.LabelUncompressed: l.DiffID.String()}
		if h := steps[i]; h != nil {
			a["buildkit/description"] = h.CreatedBy
			if h.Created != nil {
				a["buildkit/createdat"] = h.Created.UTC().Format(timeLayout)
			}
		}
		d.Layers = append(d.Layers, ocispec.Descriptor{MediaType: l.MediaType, Digest: l.Digest, Size: l.Size, Annotations: a})
	}
	return json.Marshal(d)
}

// layerSteps finds the history entry of each of n layers; nil where the history
// does not fit.
func layerSteps(history []ocispec.History, n int) []*ocispec.History {
	var steps []*ocispec.History
	for i := range history {
		if !history[i].EmptyLayer {
			steps = append(steps, &history[i])
		}
	}
	if len(steps) != n {
		return make([]*ocispec.History, n)
	}
	return steps
}

// importCache turns a cache blob into the manifest that BuildKit's importers
// read, and keeps it among the documents.
func importCache(ctx context.Context, docs *documents, src store.Source, ref patch.CacheRef) (ocispec.Descriptor, error) {
	b, err := store.ReadBlob(ctx, src, ocispec.Descriptor{MediaType: mediaTypeCache, Digest: ref.Digest, Size: ref.Size})
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	var d cacheDocument
	if err := json.Unmarshal(b, &d); err != nil {
		return ocispec.Descriptor{}, fmt.Errorf("cannot parse cache records %q: %w", ref.Digest, err)
	}
	config := cachetypes.CacheConfig{Records: d.Records}
	for i, l := range d.Layers {
		config.Layers = append(config.Layers, cachetypes.CacheLayer{Blob: l.Digest, ParentIndex: i - 1})
		d.Layers[i].Annotations = maps.Clone(l.Annotations)
	}
	b, err = json.Marshal(config)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	manifest, desc := store.NewManifest(docs.add(cachetypes.CacheConfigMediaTypeV0, b), d.Layers)
	docs.add(desc.MediaType, manifest)
	return desc, nil
}
