package deploy

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/flotobuild/flotobuild/site"
)

// imageTag is the name that an image gets in the engines: PROJECT/IMAGE:VERSION.
// Containers are made from ids; names are for people, and keep images from being
// pruned.
func imageTag(r *Release, image string) string {
	return named(r.Manifest.Project) + "/" + named(image) + ":" + tagged(r.Version)
}

// named keeps what names of repositories may hold.
func named(name string) string {
	name = strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			return c
		}
		return '-'
	}, strings.ToLower(name))
	for strings.Contains(name, "--") {
		name = strings.ReplaceAll(name, "--", "-")
	}
	name = strings.Trim(name[:min(len(name), 100)], "-")
	return cmp.Or(name, "image")
}

// tagged keeps what tags may hold.
func tagged(version string) string {
	version = strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-' {
			return c
		}
		return '-'
	}, version)
	version = strings.TrimLeft(version[:min(len(version), 100)], ".-")
	return cmp.Or(version, "patch")
}

// noteTags notes the names that the images of tasks are about to get.
func (r *run) noteTags(tasks []*task) {
	if r.state.Tags == nil {
		r.state.Tags = make(map[string][]string)
	}
	for _, t := range tasks {
		all := append(r.state.Tags[t.engine.ID], t.tags...)
		slices.Sort(all)
		r.state.Tags[t.engine.ID] = slices.Compact(all)
	}
}

// untag takes names off images that neither the patches of the engine's hosts
// nor the ones before have, and so removes images that nothing needs. Those that
// a container still has are left for the next time.
func (r *run) untag(ctx context.Context, tasks []*task) {
	seen := make(map[string]bool)
	for _, t := range tasks {
		id := t.engine.ID
		if seen[id] {
			continue
		}
		seen[id] = true
		keep, err := r.neededTags(id)
		if err != nil {
			continue // what cannot be known to be needless stays
		}
		r.state.Tags[id] = slices.DeleteFunc(r.state.Tags[id], func(tag string) bool {
			if keep[tag] {
				return false
			}
			gone, err := t.engine.Untag(ctx, tag)
			if err != nil {
				r.tell(Event{Kind: Warning, Host: t.host, Name: tag, Text: err.Error()})
			}
			return gone
		})
	}
}

// neededTags gives the names of images that hosts of an engine need.
func (r *run) neededTags(engine string) (map[string]bool, error) {
	keep := make(map[string]bool)
	for host, s := range r.state.Hosts {
		if s.Engine != engine {
			continue
		}
		for _, ref := range []site.Ref{s.ref(), s.before()} {
			release, err := r.site.Release(ref)
			if err == nil {
				err = release.check()
			}
			if err != nil && ref == s.ref() {
				return nil, err
			}
			if err != nil {
				continue // no such patch, or one that was collected
			}
			for _, i := range release.imagesOf(host) {
				keep[imageTag(release, i.Name)] = true
			}
		}
	}
	return keep, nil
}
