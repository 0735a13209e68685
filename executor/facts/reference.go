package facts

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

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
	return w.registryReference(ctx, ref)
}

func (w *Workspace) registryReference(ctx context.Context, ref string) (digest.Digest, error) {
	r, err := name.ParseReference(ref)
	if err != nil {
		return "", fmt.Errorf("cannot parse reference %q: %w", ref, err)
	}
	if d, ok := r.(name.Digest); ok {
		return digest.Digest(d.DigestStr()), nil
	}
	if err := w.unreachable(r.Context().Registry); err != nil {
		return "", err
	}
	opts := registryOptions(ctx)
	d, err := remote.Head(r, opts...)
	if err == nil {
		return digest.Digest(d.Digest.String()), nil
	}
	// Some registries answer no HEAD, and an answer to HEAD has no message.
	var answered *transport.Error
	var full *remote.Descriptor
	if errors.As(err, &answered) {
		full, err = remote.Get(r, opts...)
	}
	if err != nil {
		return "", w.registryError(ctx, r.Context().Registry, err)
	}
	return digest.Digest(full.Digest.String()), nil
}

func registryOptions(ctx context.Context) []remote.Option {
	return []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)}
}

// unreachable returns the error of a registry that could not be reached before.
// Without a network every question costs seconds, and plans have hundreds.
func (w *Workspace) unreachable(r name.Registry) error {
	if err, ok := w.down.Load(r.Name()); ok {
		return err.(error)
	}
	return nil
}

func (w *Workspace) registryError(ctx context.Context, r name.Registry, err error) error {
	var t *transport.Error
	var network *url.Error
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case !errors.As(err, &t):
		err = fmt.Errorf("%w: %w", planner.ErrNoAnswer, err)
		if errors.As(err, &network) {
			w.down.Store(r.Name(), err)
		}
		return err
	case t.StatusCode == http.StatusNotFound:
		return fmt.Errorf("the registry has %w: %w", planner.ErrNoImage, err)
	case t.StatusCode == http.StatusUnauthorized, t.StatusCode == http.StatusForbidden:
		return fmt.Errorf("%w: it refuses access, log in with docker login: %w", planner.ErrNoAnswer, err)
	}
	return fmt.Errorf("%w: %w", planner.ErrNoAnswer, err)
}
