package docker

import (
	"context"
	"fmt"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"github.com/moby/moby/client"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"

	"github.com/flotobuild/flotobuild/patch"
)

// Choose gives the manifest of an image that fits the engine best.
func (e *Engine) Choose(i *patch.Image) (*patch.Manifest, error) {
	fits := platforms.Only(e.platform)
	var best *patch.Manifest
	var known []string
	for n := range i.Manifests {
		m := &i.Manifests[n]
		p, err := platforms.Parse(m.Platform)
		if err != nil {
			return nil, fmt.Errorf("image %q: %w", i.Name, err)
		}
		known = append(known, m.Platform)
		if fits.Match(p) && (best == nil || fits.Less(p, platforms.MustParse(best.Platform))) {
			best = m
		}
	}
	if best == nil {
		return nil, fmt.Errorf("image %q is for %s, and the engine %q is %s", i.Name, strings.Join(known, ", "), e.Name, platforms.Format(e.platform))
	}
	return best, nil
}

// ImageID is what the engine knows an image by once it is loaded, and
// containers name it by: the digest of its config, or of its manifest where
// containerd keeps the images.
func (e *Engine) ImageID(m *patch.Manifest) digest.Digest {
	if e.complete {
		return m.Descriptor.Digest
	}
	return m.Config.Digest
}

// Has says whether the engine has an image.
func (e *Engine) Has(ctx context.Context, id digest.Digest) (bool, error) {
	_, err := e.client.ImageInspect(ctx, id.String())
	switch {
	case errdefs.IsNotFound(err):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("cannot look for image %q in the engine %q: %w", id, e.Name, err)
	}
	return true, nil
}

// Tag gives an image a name. A name that another image had is taken from it.
func (e *Engine) Tag(ctx context.Context, id digest.Digest, name string) error {
	if _, err := e.client.ImageTag(ctx, client.ImageTagOptions{Source: id.String(), Target: name}); err != nil {
		return fmt.Errorf("cannot name image %q %q in the engine %q: %w", id, name, e.Name, err)
	}
	return nil
}

// Untag takes a name off the engine, and the image with it where that was its
// last one. An image that a container needs keeps its name, and false is
// returned.
func (e *Engine) Untag(ctx context.Context, name string) (bool, error) {
	_, err := e.client.ImageRemove(ctx, name, client.ImageRemoveOptions{PruneChildren: true})
	switch {
	case errdefs.IsConflict(err):
		return false, nil
	case err != nil && !errdefs.IsNotFound(err):
		return false, fmt.Errorf("cannot remove image %q from the engine %q: %w", name, e.Name, err)
	}
	return true, nil
}

// chains gives the chain ids of all layers of the engine's images: each stands
// for a layer on top of the ones below it.
func (e *Engine) chains(ctx context.Context) (map[digest.Digest]bool, error) {
	known := make(map[digest.Digest]bool)
	if e.complete {
		return known, nil
	}
	all, err := e.client.ImageList(ctx, client.ImageListOptions{})
	if err != nil {
		return nil, err
	}
	for _, i := range all.Items {
		r, err := e.client.ImageInspect(ctx, i.ID)
		if errdefs.IsNotFound(err) {
			continue // removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		ids := make([]digest.Digest, 0, len(r.RootFS.Layers))
		for _, l := range r.RootFS.Layers {
			ids = append(ids, digest.Digest(l))
		}
		for _, c := range identity.ChainIDs(ids) {
			known[c] = true
		}
	}
	return known, nil
}
