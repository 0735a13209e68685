package parent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/patch"
)

// Scheme begins the locations of artifacts in registries.
const Scheme = "oci://"

// Media types of the blobs that an artifact carries.
const (
	MediaTypeDescription = "application/vnd.flotobuild.description.v1+json" // patch-description.json
	MediaTypeReceipt     = "application/vnd.flotobuild.receipt.v1+json"
)

// pull reads the description that an artifact carries, with the credentials
// that docker login stored. Loopback and private addresses may speak plain http.
func pull(ctx context.Context, text string) (*Parent, error) {
	ref, err := name.ParseReference(text)
	if err != nil {
		return nil, fmt.Errorf("cannot parse reference %q: %w", text, err)
	}
	options := []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)}
	got, err := remote.Get(ref, options...)
	if err != nil {
		return nil, fmt.Errorf("cannot pull %q: %w", text, registryError(err))
	}
	blob, err := descriptionBlob(got.Manifest)
	if err != nil {
		return nil, fmt.Errorf("cannot use %q as parent: %w", text, err)
	}
	b, err := pullBlob(ref.Context().Digest(blob.Digest.String()), blob, options)
	if err != nil {
		return nil, fmt.Errorf("cannot pull %q: %w", text, registryError(err))
	}
	p, err := decode(b)
	if err != nil {
		return nil, fmt.Errorf("cannot read %q: %w", text, err)
	}
	p.Location = Scheme + ref.Context().Digest(got.Digest.String()).String()
	return p, nil
}

// descriptionBlob finds the one layer that is a description or a receipt.
func descriptionBlob(manifest []byte) (ocispec.Descriptor, error) {
	var m ocispec.Manifest
	if err := json.Unmarshal(manifest, &m); err != nil {
		return ocispec.Descriptor{}, fmt.Errorf("its manifest cannot be parsed: %w", err)
	}
	var found []ocispec.Descriptor
	for _, l := range m.Layers {
		if l.MediaType == MediaTypeDescription || l.MediaType == MediaTypeReceipt {
			found = append(found, l)
		}
	}
	if len(found) != 1 {
		return ocispec.Descriptor{}, fmt.Errorf("it has %d layers of type %s, and an artifact with a description has one", len(found), MediaTypeDescription)
	}
	if err := verify.CheckDigest(found[0].Digest); err != nil {
		return ocispec.Descriptor{}, err
	}
	if size := found[0].Size; size < 0 || size > patch.MaxReceipt {
		return ocispec.Descriptor{}, fmt.Errorf("its description has %d bytes, and %d are the limit", size, patch.MaxReceipt)
	}
	return found[0], nil
}

func pullBlob(ref name.Digest, want ocispec.Descriptor, options []remote.Option) ([]byte, error) {
	l, err := remote.Layer(ref, options...)
	if err != nil {
		return nil, err
	}
	r, err := l.Compressed()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, want.Size+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) != want.Size || digest.FromBytes(b) != want.Digest {
		return nil, fmt.Errorf("blob %q is not what its manifest says", want.Digest)
	}
	return b, nil
}

// registryError says what the usual answers of a registry mean.
func registryError(err error) error {
	var t *transport.Error
	if !errors.As(err, &t) {
		return err
	}
	switch t.StatusCode {
	case http.StatusNotFound:
		return fmt.Errorf("the registry has no such artifact: %w", err)
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("the registry refuses access, log in with docker login: %w", err)
	}
	return err
}
