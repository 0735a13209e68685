package executor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/containerd/platforms"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/planner"
	"github.com/flotobuild/flotobuild/store"
)

// source takes an image as others made it. Its manifests are kept byte for
// byte; of an index, the manifests of the plan's platforms are taken.
func (r *run) source(ctx context.Context, img *planner.ImagePlan) (*made, error) {
	src, err := r.openSource(ctx, img.Source.Ref)
	if err == nil {
		var m *made
		if m, err = readSource(ctx, src, img); err == nil {
			r.holders.add(m, src)
			return m, nil
		}
	}
	return nil, fmt.Errorf("cannot fetch %s from %q: %w", img.Address, img.Source.Ref, err)
}

func readSource(ctx context.Context, src store.Source, img *planner.ImagePlan) (*made, error) {
	all, isIndex, err := manifestsOf(ctx, src, img.Source.Digest)
	if err != nil {
		return nil, err
	}
	m := &made{plan: img, multi: len(img.Platforms) > 1}
	for _, want := range img.Platforms {
		p, err := findPlatform(ctx, src, all, isIndex, want)
		if err != nil {
			return nil, err
		}
		m.platforms = append(m.platforms, *p)
	}
	return m, nil
}

// findPlatform reads the manifest of a platform, as it is.
func findPlatform(ctx context.Context, src store.Source, all []ocispec.Descriptor, isIndex bool, want string) (*platformImage, error) {
	spec, err := parsePlatform(want)
	if err != nil {
		return nil, err
	}
	match := platforms.OnlyStrict(*spec)
	var found []string
	for _, desc := range all {
		if isIndex && desc.Platform != nil && !match.Match(*desc.Platform) {
			found = append(found, platforms.FormatAll(*desc.Platform))
			continue
		}
		p, err := readVerbatim(ctx, src, desc)
		if err != nil {
			return nil, err
		}
		got, err := parsePlatform(p.platform)
		if err != nil {
			return nil, err
		}
		if match.Match(*got) {
			return p, nil
		}
		found = append(found, p.platform)
	}
	return nil, fmt.Errorf("there is no image for platform %s, only for %s", want, strings.Join(found, ", "))
}

func readVerbatim(ctx context.Context, src store.Source, desc ocispec.Descriptor) (*platformImage, error) {
	top, data, err := readTop(ctx, src, desc.Digest)
	if err != nil {
		return nil, err
	}
	manifest, err := store.ReadManifest(ctx, src, top)
	if err != nil {
		return nil, err
	}
	config, err := store.ReadBlob(ctx, src, manifest.Config)
	if err != nil {
		return nil, err
	}
	p := &platformImage{config: config, configType: manifest.Config.MediaType, manifest: data, manifestType: top.MediaType}
	return p, p.parse(manifest.Layers)
}

func (r *run) openSource(ctx context.Context, ref string) (store.Source, error) {
	if planner.IsLayout(ref) {
		dir, _, _, err := planner.SplitLayout(ref)
		if err != nil {
			return nil, err
		}
		return store.Open(r.path(dir))
	}
	parsed, err := name.ParseReference(ref)
	if err != nil {
		return nil, err
	}
	return registrySource{ctx, parsed.Context()}, nil
}

// registrySource reads blobs and manifests of one repository.
type registrySource struct {
	ctx  context.Context // of the run: blobs outlive the calls that open them
	repo name.Repository
}

// Blob implements store.Source.
func (s registrySource) Blob(_ context.Context, d digest.Digest) (store.Blob, error) {
	ref := s.repo.Digest(d.String())
	options := []remote.Option{remote.WithContext(s.ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)}
	l, err := remote.Layer(ref, options...)
	if err != nil {
		return nil, err
	}
	size, err := l.Size()
	if err == nil {
		return &streamBlob{open: l.Compressed, size: size}, nil
	}
	m, merr := remote.Get(ref, options...) // a manifest is no blob for registries
	if merr != nil {
		return nil, fmt.Errorf("cannot find %q in %q: %w", d, s.repo, errors.Join(err, merr))
	}
	return memoryBlob{bytes.NewReader(m.Manifest)}, nil
}

// A streamBlob reads a stream as a blob. Reads in order, which is how blobs are
// copied, cost one pass; going back starts again.
type streamBlob struct {
	open func() (io.ReadCloser, error)
	size int64
	r    io.ReadCloser
	off  int64
}

// Size implements store.Blob.
func (b *streamBlob) Size() int64 { return b.size }

// ReadAt implements io.ReaderAt.
func (b *streamBlob) ReadAt(p []byte, off int64) (int, error) {
	if off >= b.size {
		return 0, io.EOF
	}
	if b.r == nil || off < b.off {
		if err := b.restart(); err != nil {
			return 0, err
		}
	}
	if n, err := io.CopyN(io.Discard, b.r, off-b.off); err != nil {
		b.off += n
		return 0, err
	}
	n, err := io.ReadFull(b.r, p[:min(int64(len(p)), b.size-off)])
	b.off = off + int64(n)
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

func (b *streamBlob) restart() error {
	err := b.Close()
	b.off = 0
	r, oerr := b.open()
	b.r = r
	return errors.Join(err, oerr)
}

// Close implements io.Closer.
func (b *streamBlob) Close() error {
	if b.r == nil {
		return nil
	}
	r := b.r
	b.r = nil
	return r.Close()
}
