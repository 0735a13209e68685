package facts

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/flotobuild/flotobuild/planner"
)

// The form of signatures is cosign's simple signing, see
// https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md: an image
// under the tag sha256-HEX.sig, each layer of which is a signed payload with the
// signature as annotation.
const (
	signatureMediaType  = "application/vnd.dev.cosign.simplesigning.v1+json"
	signatureAnnotation = "dev.cosignproject.cosign/signature"
	signatureType       = "cosign container image signature"
	// signatureKind marks, in the annotation "kind" of a layout's index, what
	// cosign save has stored.
	signatureKind = "dev.cosignproject.cosign/sigs"
)

// Bounds of what a registry may hand out as signatures.
const (
	maxSignatures = 100
	maxPayload    = 1 << 20 // bytes
)

// parallelQueries bounds the signatures that are fetched at once.
const parallelQueries = 8

// errNoSignature is the answer for images that nobody has signed.
var errNoSignature = errors.New("it has no signature")

// Signatures answers whether images of others are signed with one of the keys
// that each query names. The answers are all there unless ctx is done.
func (w *Workspace) Signatures(ctx context.Context, queries []planner.SignatureQuery) planner.Signatures {
	answers := make([]error, len(queries))
	var g errgroup.Group
	g.SetLimit(parallelQueries)
	for i, q := range queries {
		g.Go(func() error {
			answers[i] = w.signed(ctx, q)
			return nil
		})
	}
	_ = g.Wait() // every answer is kept
	out := make(planner.Signatures, len(queries))
	for i, q := range queries {
		out[q] = answers[i]
	}
	return out
}

func (w *Workspace) signed(ctx context.Context, q planner.SignatureQuery) error {
	keys, err := w.publicKeys(q.Keys())
	if err != nil {
		return err
	}
	images, err := w.signatureImages(ctx, q)
	if err != nil {
		return err
	}
	last := errNoSignature
	for _, img := range images {
		if err := verifyImage(img, q.Digest, keys); err == nil {
			return nil
		} else if !errors.Is(err, errNoSignature) {
			last = err
		}
	}
	return last
}

// signatureImages finds the images that carry signatures of another one.
func (w *Workspace) signatureImages(ctx context.Context, q planner.SignatureQuery) ([]v1.Image, error) {
	tag := strings.Replace(q.Digest.String(), ":", "-", 1) + ".sig"
	if planner.IsLayout(q.Ref) {
		return w.layoutSignatures(q.Ref, tag)
	}
	ref, err := name.ParseReference(q.Ref)
	if err != nil {
		return nil, fmt.Errorf("cannot parse reference %q: %w", q.Ref, err)
	}
	img, err := remote.Image(ref.Context().Tag(tag), remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain))
	var t *transport.Error
	if errors.As(err, &t) && t.StatusCode == http.StatusNotFound {
		return nil, fmt.Errorf("%w: its repository has no tag %s", errNoSignature, tag)
	}
	if err != nil {
		return nil, w.registryError(ctx, ref.Context().Registry, err)
	}
	return []v1.Image{img}, nil
}

func (w *Workspace) layoutSignatures(ref, tag string) ([]v1.Image, error) {
	dir, _, _, err := planner.SplitLayout(ref)
	if err != nil {
		return nil, err
	}
	index, err := layout.ImageIndexFromPath(filepath.Clean(w.path(dir)))
	if err != nil {
		return nil, fmt.Errorf("cannot read the layout %q: %w", dir, err)
	}
	m, err := index.IndexManifest()
	if err != nil {
		return nil, fmt.Errorf("cannot read the layout %q: %w", dir, err)
	}
	var out []v1.Image
	for _, d := range m.Manifests {
		n := d.Annotations[ocispec.AnnotationRefName]
		if n != tag && !strings.HasSuffix(n, ":"+tag) && d.Annotations["kind"] != signatureKind || len(out) == maxSignatures {
			continue
		}
		img, err := index.Image(d.Digest)
		if err != nil {
			return nil, fmt.Errorf("cannot read the signatures in the layout %q: %w", dir, err)
		}
		out = append(out, img)
	}
	return out, nil
}

// verifyImage succeeds where one of the image's layers is a valid signature of d
// by one of the keys.
func verifyImage(img v1.Image, d digest.Digest, keys []publicKey) error {
	m, err := img.Manifest()
	if err != nil {
		return fmt.Errorf("cannot read its signatures: %w", err)
	}
	last := errNoSignature
	for n, l := range m.Layers {
		if l.MediaType != signatureMediaType || n >= maxSignatures {
			continue
		}
		if err := verifyLayer(img, l, d, keys); err == nil {
			return nil
		} else if errors.Is(last, errNoSignature) || !errors.Is(err, errOtherKey) {
			last = err
		}
	}
	return last
}

// errOtherKey is the answer for signatures that none of the keys has made.
var errOtherKey = errors.New("it is not signed with any of the keys")

func verifyLayer(img v1.Image, desc v1.Descriptor, d digest.Digest, keys []publicKey) error {
	signature, err := base64.StdEncoding.DecodeString(desc.Annotations[signatureAnnotation])
	if err != nil || len(signature) == 0 {
		return errors.New("its signature is damaged")
	}
	payload, err := payloadOf(img, desc)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.verify(payload, signature) {
			return checkClaims(payload, d)
		}
	}
	return errOtherKey
}

func payloadOf(img v1.Image, desc v1.Descriptor) ([]byte, error) {
	if desc.Size > maxPayload {
		return nil, fmt.Errorf("its signature has %d bytes, and %d are the limit", desc.Size, maxPayload)
	}
	l, err := img.LayerByDigest(desc.Digest)
	if err != nil {
		return nil, fmt.Errorf("cannot read its signature: %w", err)
	}
	r, err := l.Compressed()
	if err != nil {
		return nil, fmt.Errorf("cannot read its signature: %w", err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxPayload))
	if err != nil {
		return nil, fmt.Errorf("cannot read its signature: %w", err)
	}
	return b, nil
}

// checkClaims compares what was signed with the image.
func checkClaims(payload []byte, d digest.Digest) error {
	var p struct {
		Critical struct {
			Image struct {
				Digest digest.Digest `json:"docker-manifest-digest"`
			} `json:"image"`
			Type string `json:"type"`
		} `json:"critical"`
	}
	if err := json.Unmarshal(payload, &p); err != nil {
		return fmt.Errorf("what was signed cannot be parsed: %w", err)
	}
	switch {
	case p.Critical.Type != signatureType:
		return fmt.Errorf("what was signed is of type %q, not %q", p.Critical.Type, signatureType)
	case p.Critical.Image.Digest != d:
		return fmt.Errorf("the signature is of another image, %s", p.Critical.Image.Digest)
	}
	return nil
}
