package facts

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/planner"
)

// Reference implements planner.Facts. A reference with a digest is answered
// without asking anybody. Registries are asked with the credentials that
// docker login stored; loopback and private addresses may speak plain http.
func (w *Workspace) Reference(ctx context.Context, ref string) (digest.Digest, error) {
	if planner.IsLayout(ref) {
		return w.layoutReference(ref)
	}
	return registryReference(ctx, ref)
}

func registryReference(ctx context.Context, ref string) (digest.Digest, error) {
	r, err := name.ParseReference(ref)
	if err != nil {
		return "", fmt.Errorf("cannot parse reference %q: %w", ref, err)
	}
	if d, ok := r.(name.Digest); ok {
		return digest.Digest(d.DigestStr()), nil
	}
	opts := []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)}
	d, err := remote.Head(r, opts...)
	if err == nil {
		return digest.Digest(d.Digest.String()), nil
	}
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	// Some registries answer no HEAD, and an answer to HEAD has no message.
	full, err := remote.Get(r, opts...)
	if err != nil {
		return "", registryError(err)
	}
	return digest.Digest(full.Digest.String()), nil
}

func registryError(err error) error {
	var t *transport.Error
	if !errors.As(err, &t) {
		return fmt.Errorf("cannot ask registry: %w", err)
	}
	switch t.StatusCode {
	case http.StatusNotFound:
		return fmt.Errorf("the registry has no such image: %w", err)
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("the registry refuses access, log in with docker login: %w", err)
	}
	return fmt.Errorf("cannot ask registry: %w", err)
}
