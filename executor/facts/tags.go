package facts

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/planner"
)

// Bounds on what a registry may make of one list of tags.
const (
	maxTags  = 200_000
	maxPages = 2_000
	pageSize = 1_000 // asked for; registries may give less
)

// Tags implements planner.Facts. All pages of a registry's list are read.
func (w *Workspace) Tags(ctx context.Context, source string) ([]string, error) {
	if planner.IsLayout(source) {
		return w.layoutTags(source)
	}
	repo, err := name.NewRepository(source)
	if err != nil {
		return nil, fmt.Errorf("cannot parse reference %q: %w", source, err)
	}
	if err := w.unreachable(repo.Registry); err != nil {
		return nil, err
	}
	tags, err := registryTags(ctx, repo)
	if err != nil {
		return nil, w.registryError(ctx, repo.Registry, err)
	}
	if len(tags) > maxTags {
		return nil, fmt.Errorf("the registry lists more than %d tags, or lists them in more than %d parts", maxTags, maxPages)
	}
	return tags, nil
}

// registryTags reads page by page; more than maxTags tags mean that the registry
// has no end.
func registryTags(ctx context.Context, repo name.Repository) ([]string, error) {
	puller, err := remote.NewPuller(append(registryOptions(ctx), remote.WithPageSize(pageSize))...)
	if err != nil {
		return nil, err
	}
	lister, err := puller.Lister(ctx, repo)
	if err != nil {
		return nil, err
	}
	var tags []string
	for pages := 0; lister.HasNext(); pages++ {
		if pages == maxPages || len(tags) > maxTags {
			return make([]string, maxTags+1), nil
		}
		page, err := lister.Next(ctx)
		if err != nil {
			return nil, err
		}
		tags = append(tags, page.Tags...)
	}
	return tags, nil
}

// layoutTags gives the names of a layout's images without the repository, which
// some tools put in front.
func (w *Workspace) layoutTags(source string) ([]string, error) {
	dir, _, _, err := planner.SplitLayout(source)
	if err != nil {
		return nil, err
	}
	all, err := w.layoutImages(dir)
	if err != nil {
		return nil, err
	}
	var tags []string
	for _, m := range all {
		n := m.Annotations[ocispec.AnnotationRefName]
		if tag := n[strings.LastIndexByte(n, ':')+1:]; tag != "" && !strings.ContainsRune(tag, '/') && !strings.ContainsRune(n, '@') {
			tags = append(tags, tag)
		}
	}
	slices.Sort(tags)
	return slices.Compact(tags), nil
}
