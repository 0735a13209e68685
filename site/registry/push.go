package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/store"
)

// PushOptions say where images go.
type PushOptions struct {
	// Registry is HOST[:PORT][/PREFIX]. The repository of an image stands behind
	// it; see RepositoryName.
	Registry string
	// PlainHTTP allows a registry that is not this machine to be without TLS.
	PlainHTTP bool
	// Active adds the tag "active" to those of the patch, its version and its id.
	Active bool
	// Credentials are asked for the registry; nil means none.
	Credentials authn.Keychain
	// Transport, when set, carries the requests.
	Transport http.RoundTripper
	// Pushed, when set, is told of each image when it is there with all tags.
	Pushed func(Pushed)
}

// A Pushed is an image that a registry has now.
type Pushed struct {
	Image  string        `json:"image"` // its name in the patch
	Digest digest.Digest `json:"digest"`
	Tags   []string      `json:"tags"` // whole references
	// Sent counts the bytes of blobs that the registry did not have, and that no
	// other repository there could lend.
	Sent int64 `json:"sent"`
}

// A pushing is a push under way.
type pushing struct {
	blobs store.Source
	sent  map[digest.Digest]name.Reference // where the registry has a layer
	bytes atomic.Int64
}

// Push copies the images of a patch from a store to a registry. Blobs and
// manifests that are there are not sent again, and a layer that another image
// has brought is only linked. Every blob is checked while it is read. A push
// that failed can be repeated: an image gets its tags when it is complete.
func Push(ctx context.Context, blobs store.Source, d *patch.Description, o PushOptions) ([]Pushed, error) {
	p := &pushing{blobs: blobs, sent: make(map[digest.Digest]name.Reference)}
	images := make(map[string]bool)
	for _, i := range d.Flotobuild.Images {
		images[i.Name] = true
	}
	names := repositoryNames(images)
	pusher, err := o.pusher(ctx)
	if err != nil {
		return nil, err
	}
	var out []Pushed
	for _, i := range d.Flotobuild.Images {
		repo, err := o.repository(names[i.Name])
		if err != nil {
			return out, err
		}
		one, err := p.image(ctx, pusher, repo, i, o.tags(d))
		if err != nil {
			return out, fmt.Errorf("cannot push image %q to %q: %w", i.Name, repo.Name(), explained(err))
		}
		out = append(out, *one)
		if o.Pushed != nil {
			o.Pushed(*one)
		}
	}
	return out, nil
}

func (o PushOptions) pusher(ctx context.Context) (*remote.Pusher, error) {
	options := []remote.Option{remote.WithContext(ctx), remote.WithUserAgent("flotobuild")}
	if o.Credentials != nil {
		options = append(options, remote.WithAuthFromKeychain(o.Credentials))
	}
	if o.Transport != nil {
		options = append(options, remote.WithTransport(o.Transport))
	}
	return remote.NewPusher(options...)
}

func (o PushOptions) repository(image string) (name.Repository, error) {
	options := []name.Option{name.StrictValidation}
	if o.PlainHTTP {
		options = append(options, name.Insecure)
	}
	where := strings.TrimSuffix(o.Registry, "/")
	host, _, _ := strings.Cut(where, "/")
	if _, err := name.NewRegistry(host, options...); err != nil || host == "" || !strings.ContainsAny(host, ".:") && host != "localhost" {
		return name.Repository{}, fmt.Errorf("cannot push to %q: it does not begin with a registry, such as registry.plant.example or 192.0.2.7:5000", o.Registry)
	}
	repo, err := name.NewRepository(where+"/"+image, options...)
	if err != nil {
		return repo, fmt.Errorf("cannot push to %q: %w", o.Registry, err)
	}
	return repo, nil
}

// tags gives the tags of a patch, each once.
func (o PushOptions) tags(d *patch.Description) []string {
	tags := []string{tagOf(d.ID)}
	if v := d.Flotobuild.Version; v != "" && tagOf(v) != tags[0] {
		tags = append(tags, tagOf(v))
	}
	if o.Active {
		tags = append(tags, activeTag)
	}
	return tags
}

func (p *pushing) image(ctx context.Context, pusher *remote.Pusher, repo name.Repository, i patch.Image, tags []string) (*Pushed, error) {
	before := p.bytes.Load()
	s, err := p.open(ctx, i.Descriptor)
	if err != nil {
		return nil, err
	}
	what, err := s.taggable()
	if err != nil {
		return nil, err
	}
	out := &Pushed{Image: i.Name, Digest: i.Descriptor.Digest}
	for _, tag := range tags {
		ref := repo.Tag(tag)
		if err := pusher.Push(ctx, ref, what); err != nil {
			return nil, err
		}
		out.Tags = append(out.Tags, ref.Name())
	}
	for _, m := range i.Manifests {
		for _, l := range m.Layers {
			p.sent[l.Digest] = repo.Tag(tags[0])
		}
	}
	out.Sent = p.bytes.Load() - before
	return out, nil
}

// explained says what to do about a registry's refusal.
func explained(err error) error {
	var refused *transport.Error
	if errors.As(err, &refused) && (refused.StatusCode == http.StatusUnauthorized || refused.StatusCode == http.StatusForbidden) {
		return fmt.Errorf("the registry wants other credentials; docker login stores them: %w", err)
	}
	return err
}
