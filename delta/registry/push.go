package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/delta/image"
	"github.com/flotobuild/flotobuild/store"
)

// ErrOtherImage says that a reference stands for another image than the one
// that a delta makes.
var ErrOtherImage = errors.New("the reference stands for another image")

// Push puts a delta beside the image that it makes, and gives the artifact's
// reference. The image must be in the registry: ref names it. Nothing becomes
// visible before all of it is there.
func Push(ctx context.Context, f *image.File, ref string) (string, error) {
	r, err := name.ParseReference(ref)
	if err != nil {
		return "", fmt.Errorf("cannot parse reference %q: %w", ref, err)
	}
	at, err := push(ctx, f, r)
	if err != nil {
		return "", fmt.Errorf("cannot push the delta to %q: %w", ref, explain(err))
	}
	return at.String(), nil
}

func push(ctx context.Context, f *image.File, ref name.Reference) (*name.Digest, error) {
	subject, err := subject(ctx, ref, f.Image.Digest)
	if err != nil {
		return nil, err
	}
	repo := ref.Context()
	raw, top := f.Beside(subject)
	for _, d := range f.Blobs() {
		if err := remote.WriteLayer(repo, layer{f, d}, options(ctx)...); err != nil {
			return nil, fmt.Errorf("cannot write blob %q: %w", d.Digest, err)
		}
	}
	at := repo.Digest(top.Digest.String())
	return &at, remote.Put(at, manifest{raw, types.MediaType(top.MediaType)}, options(ctx)...)
}

// subject finds the manifest of the image with an id among those that the
// reference stands for.
func subject(ctx context.Context, ref name.Reference, id digest.Digest) (ocispec.Descriptor, error) {
	all, err := manifests(ctx, ref)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	for _, m := range all {
		if m.config == id {
			return m.desc, nil
		}
	}
	return ocispec.Descriptor{}, fmt.Errorf("%w: the delta makes %q", ErrOtherImage, id)
}

// An imageManifest is a manifest in a registry.
type imageManifest struct {
	desc     ocispec.Descriptor
	config   digest.Digest
	platform *ocispec.Platform // where an index names it
}

// manifests reads the manifests that a reference stands for: several behind an
// index.
func manifests(ctx context.Context, ref name.Reference) ([]imageManifest, error) {
	got, err := remote.Get(ref, options(ctx)...)
	if err != nil {
		return nil, err
	}
	desc := ocispec.Descriptor{MediaType: string(got.MediaType), Digest: digest.Digest(got.Digest.String()), Size: got.Size}
	if !store.IsIndex(desc.MediaType) {
		m, err := parse(desc, got.Manifest)
		return []imageManifest{m}, err
	}
	var index ocispec.Index
	if err := json.Unmarshal(got.Manifest, &index); err != nil {
		return nil, fmt.Errorf("cannot parse the index: %w", err)
	}
	var out []imageManifest
	for _, d := range index.Manifests {
		if !image.IsImage(d) || store.IsIndex(d.MediaType) {
			continue
		}
		one, err := remote.Get(ref.Context().Digest(d.Digest.String()), options(ctx)...)
		if err != nil {
			return nil, err
		}
		m, err := parse(ocispec.Descriptor{MediaType: string(one.MediaType), Digest: d.Digest, Size: one.Size}, one.Manifest)
		if err != nil {
			return nil, err
		}
		m.platform = d.Platform
		out = append(out, m)
	}
	return out, nil
}

func parse(d ocispec.Descriptor, raw []byte) (imageManifest, error) {
	var m ocispec.Manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return imageManifest{}, fmt.Errorf("cannot parse manifest %q: %w", d.Digest, err)
	}
	return imageManifest{desc: d, config: m.Config.Digest}, nil
}

func options(ctx context.Context) []remote.Option {
	return []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)}
}

// explain says what the usual answers of a registry mean.
func explain(err error) error {
	var t *transport.Error
	if !errors.As(err, &t) {
		return err
	}
	switch t.StatusCode {
	case http.StatusNotFound:
		return fmt.Errorf("the registry has no such image: %w", err)
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("the registry refuses access, log in with docker login: %w", err)
	}
	return err
}

// A manifest is what remote.Put takes.
type manifest struct {
	raw       []byte
	mediaType types.MediaType
}

// RawManifest implements remote.Taggable.
func (m manifest) RawManifest() ([]byte, error) { return m.raw, nil }

// MediaType tells the registry what it is.
func (m manifest) MediaType() (types.MediaType, error) { return m.mediaType, nil }

// A layer is a blob of a delta, as the client of the registry wants it.
type layer struct {
	f    *image.File
	desc ocispec.Descriptor
}

// Digest implements v1.Layer.
func (l layer) Digest() (v1.Hash, error) { return v1.NewHash(l.desc.Digest.String()) }

// DiffID implements v1.Layer; blobs of artifacts have none of their own.
func (l layer) DiffID() (v1.Hash, error) { return l.Digest() }

// Compressed implements v1.Layer.
func (l layer) Compressed() (io.ReadCloser, error) {
	r, err := l.f.Open(l.desc)
	return io.NopCloser(r), err
}

// Uncompressed implements v1.Layer.
func (l layer) Uncompressed() (io.ReadCloser, error) { return l.Compressed() }

// Size implements v1.Layer.
func (l layer) Size() (int64, error) { return l.desc.Size, nil }

// MediaType implements v1.Layer.
func (l layer) MediaType() (types.MediaType, error) { return types.MediaType(l.desc.MediaType), nil }
