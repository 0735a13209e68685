package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/moby/buildkit/cache/remotecache"
	"github.com/moby/buildkit/session"
	sessioncontent "github.com/moby/buildkit/session/content"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// parentImporter resolves cache imports of type ImporterType: the attributes
// "store" (the id of a content store of the session) and "digest" (a cache
// manifest there).
//
// BuildKit's own "local" importer ties layers to the session in a way that
// makes the exporter fetch every one of them; here they stay lazy, so that the
// layers of an unchanged image are never read.
func parentImporter(sm *session.Manager) remotecache.ResolveCacheImporterFunc {
	return func(ctx context.Context, g session.Group, attrs map[string]string) (remotecache.Importer, ocispec.Descriptor, error) {
		dgst, err := digest.Parse(attrs["digest"])
		if err != nil {
			return nil, ocispec.Descriptor{}, fmt.Errorf("cannot import the parent's cache: digest %q: %w", attrs["digest"], err)
		}
		id := g.SessionIterator().NextSession()
		if id == "" {
			return nil, ocispec.Descriptor{}, errors.New("cannot import the parent's cache: the build has no session")
		}
		caller, err := sm.Get(ctx, id, false)
		if err != nil {
			return nil, ocispec.Descriptor{}, fmt.Errorf("cannot import the parent's cache: %w", err)
		}
		store := sessioncontent.NewCallerStore(caller, attrs["store"])
		info, err := store.Info(ctx, dgst)
		if err != nil {
			return nil, ocispec.Descriptor{}, fmt.Errorf("cannot import the parent's cache: %w", err)
		}
		return remotecache.NewImporter(store), ocispec.Descriptor{Digest: dgst, Size: info.Size}, nil
	}
}
