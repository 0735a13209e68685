package executor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/content/proxy"
	"github.com/containerd/errdefs"
	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/store"
)

// isNotFound recognises a missing blob, whoever says so.
func isNotFound(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errdefs.IsNotFound(err)
}

// engineSource reads blobs out of an engine through its control API.
type engineSource struct{ store content.Store }

func newEngineSource(c *client.Client) engineSource {
	return engineSource{proxy.NewContentStore(c.ContentClient())}
}

// Blob implements store.Source.
func (e engineSource) Blob(ctx context.Context, d digest.Digest) (store.Blob, error) {
	info, err := e.store.Info(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("cannot find blob %q in the engine: %w", d, err)
	}
	r, err := e.store.ReaderAt(ctx, ocispec.Descriptor{Digest: d, Size: info.Size})
	if err != nil {
		return nil, fmt.Errorf("cannot read blob %q from the engine: %w", d, err)
	}
	return r, nil
}

// offer is a read-only content store that the engine sees through the session
// of a build: base images and parents' layers.
type offer struct {
	from store.Source

	missing atomic.Bool
}

// Info implements content.InfoProvider.
func (o *offer) Info(ctx context.Context, d digest.Digest) (content.Info, error) {
	b, err := o.open(ctx, d)
	if err != nil {
		return content.Info{}, err
	}
	defer b.Close()
	return content.Info{Digest: d, Size: b.Size()}, nil
}

// ReaderAt implements content.Provider.
func (o *offer) ReaderAt(ctx context.Context, desc ocispec.Descriptor) (content.ReaderAt, error) {
	return o.open(ctx, desc.Digest)
}

func (o *offer) open(ctx context.Context, d digest.Digest) (store.Blob, error) {
	b, err := o.from.Blob(ctx, d)
	if err != nil && isNotFound(err) {
		o.missing.Store(true)
		return nil, fmt.Errorf("%w: %w", err, errdefs.ErrNotFound)
	}
	return b, err
}

// lacked tells whether the engine asked for a blob in vain.
func (o *offer) lacked() bool { return o.missing.Load() }

var errReadOnly = fmt.Errorf("the content store is read-only: %w", errdefs.ErrNotImplemented)

// Update implements content.Manager.
func (o *offer) Update(context.Context, content.Info, ...string) (content.Info, error) {
	return content.Info{}, errReadOnly
}

// Walk implements content.Manager.
func (o *offer) Walk(context.Context, content.WalkFunc, ...string) error { return errReadOnly }

// Delete implements content.Manager.
func (o *offer) Delete(context.Context, digest.Digest) error { return errReadOnly }

// Status implements content.IngestManager.
func (o *offer) Status(context.Context, string) (content.Status, error) {
	return content.Status{}, errReadOnly
}

// ListStatuses implements content.IngestManager.
func (o *offer) ListStatuses(context.Context, ...string) ([]content.Status, error) {
	return nil, errReadOnly
}

// Abort implements content.IngestManager.
func (o *offer) Abort(context.Context, string) error { return errReadOnly }

// Writer implements content.Ingester.
func (o *offer) Writer(context.Context, ...content.WriterOpt) (content.Writer, error) {
	return nil, errReadOnly
}
