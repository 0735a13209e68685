package registry

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/containerd/platforms"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/delta/image"
	"github.com/flotobuild/flotobuild/store"
)

// ErrNone says that a registry has no delta that fits.
var ErrNone = errors.New("the registry has no delta")

// An Offer is a delta in a registry.
type Offer struct {
	*image.Artifact
	repo name.Repository
}

// Find lists the deltas that make the image of a reference out of what old has,
// the smallest first; nil for old takes all. Platform chooses where the
// reference stands for images for several; "" for any. No delta is an error that
// is [ErrNone].
func Find(ctx context.Context, ref, platform string, old *image.Image) ([]Offer, error) {
	r, err := name.ParseReference(ref)
	if err != nil {
		return nil, fmt.Errorf("cannot parse reference %q: %w", ref, err)
	}
	all, err := find(ctx, r, platform)
	if err != nil {
		return nil, fmt.Errorf("cannot ask for deltas of %q: %w", ref, explain(err))
	}
	found := slices.DeleteFunc(slices.Clone(all), func(o Offer) bool { return old != nil && !o.Fits(old) })
	switch {
	case len(all) == 0:
		return nil, fmt.Errorf("%w for %q", ErrNone, ref)
	case len(found) == 0:
		return nil, fmt.Errorf("%w for %q out of this old image, only %d out of others", ErrNone, ref, len(all))
	}
	slices.SortFunc(found, func(a, b Offer) int {
		return cmp.Or(cmp.Compare(a.Size(), b.Size()), cmp.Compare(a.Digest, b.Digest))
	})
	return found, nil
}

func find(ctx context.Context, ref name.Reference, platform string) ([]Offer, error) {
	all, err := manifests(ctx, ref)
	if err != nil {
		return nil, err
	}
	var out []Offer
	for _, m := range all {
		if platform != "" && m.platform != nil && platforms.Format(platforms.Normalize(*m.platform)) != platform {
			continue
		}
		offers, err := offersFor(ctx, ref.Context(), m)
		if err != nil {
			return nil, err
		}
		out = append(out, offers...)
	}
	return out, nil
}

// offersFor lists the deltas that make the image of a manifest.
func offersFor(ctx context.Context, repo name.Repository, m imageManifest) ([]Offer, error) {
	index, err := remote.Referrers(repo.Digest(m.desc.Digest.String()), options(ctx)...)
	if err != nil {
		return nil, err
	}
	list, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	var out []Offer
	for _, d := range list.Manifests {
		if d.ArtifactType != image.MediaType {
			continue
		}
		got, err := remote.Get(repo.Digest(d.Digest.String()), options(ctx)...)
		if err != nil {
			return nil, err
		}
		a, err := image.ParseArtifact(ctx, got.Manifest, blobs{repo})
		if err != nil {
			return nil, fmt.Errorf("delta %q: %w", d.Digest, err)
		}
		if a.Image.Digest == m.config {
			out = append(out, Offer{a, repo})
		}
	}
	return out, nil
}

// Write writes the delta as the file that [image.Read] opens. All of it is
// checked on the way.
func (o Offer) Write(ctx context.Context, w io.Writer) error {
	err := o.Artifact.Write(ctx, w, func(d ocispec.Descriptor) (io.ReadCloser, error) {
		l, err := remote.Layer(o.repo.Digest(d.Digest.String()), options(ctx)...)
		if err != nil {
			return nil, err
		}
		return l.Compressed()
	})
	if err != nil {
		return fmt.Errorf("cannot pull delta %q: %w", o.Digest, explain(err))
	}
	return nil
}

// blobs reads small blobs of a registry.
type blobs struct{ repo name.Repository }

// maxBlob bounds them, in bytes.
const maxBlob = 8 << 20

// Blob implements store.Source.
func (b blobs) Blob(ctx context.Context, d digest.Digest) (store.Blob, error) {
	l, err := remote.Layer(b.repo.Digest(d.String()), options(ctx)...)
	if err != nil {
		return nil, err
	}
	r, err := l.Compressed()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, maxBlob+1))
	if err != nil {
		return nil, err
	}
	return memory{bytes.NewReader(data)}, nil
}

type memory struct{ *bytes.Reader }

// Close implements store.Blob.
func (memory) Close() error { return nil }
