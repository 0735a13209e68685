package registry

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/internal/verify"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/store"
)

// Options set up a registry.
type Options struct {
	// Blobs has manifests, configs and layers.
	Blobs store.Source
	// Releases gives what there is at this moment. It is asked for tags, for
	// lists, and for digests that have not been seen before.
	Releases func(ctx context.Context) ([]Release, error)
	// Log gets what clients are not told: why the store cannot be read. May be nil.
	Log *slog.Logger
}

// A Handler answers pulls. It is safe for concurrent use.
type Handler struct {
	opts Options

	mu     sync.Mutex
	seen   []Release // what last was made of
	opened map[digest.Digest]*patch.Description
	last   *catalog
}

// New makes a registry, which is to stand at /v2/.
func New(o Options) *Handler {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Handler{opts: o, last: newCatalog(nil)}
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Docker-Distribution-API-Version", "registry/2.0")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	q := &query{Handler: h, w: w, r: r}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		q.fail(http.StatusMethodNotAllowed, codeUnsupported, "this registry is read-only: images come with patches")
		return
	}
	t, err := parse(r.URL.Path)
	if err != nil {
		q.refuse(err)
		return
	}
	q.answer(t)
}

// A target is what a path asks for.
type target struct {
	kind string // one of the kinds
	name string // of the repository
	ref  string // a tag or a digest
}

// The kinds of targets.
const (
	kindBase      = "base"
	kindCatalog   = "catalog"
	kindTags      = "tags"
	kindManifests = "manifests"
	kindBlobs     = "blobs"
	kindReferrers = "referrers"
)

// parse takes a path apart. Names are looked up later, never opened.
func parse(path string) (target, error) {
	rest, ok := strings.CutPrefix(path, "/v2/")
	switch {
	case path == "/v2" || ok && rest == "":
		return target{kind: kindBase}, nil
	case !ok:
		return target{}, errNoEndpoint
	case rest == "_catalog":
		return target{kind: kindCatalog}, nil
	}
	if name, ok := strings.CutSuffix(rest, "/tags/list"); ok {
		return checked(target{kindTags, name, ""})
	}
	head, ref, ok := cutLast(rest, "/")
	if !ok {
		return target{}, errNoEndpoint
	}
	name, kind, ok := cutLast(head, "/")
	if !ok || kind != kindManifests && kind != kindBlobs && kind != kindReferrers {
		return target{}, errNoEndpoint
	}
	return checked(target{kind, name, ref})
}

func cutLast(s, sep string) (before, after string, found bool) {
	n := strings.LastIndex(s, sep)
	if n < 0 {
		return s, "", false
	}
	return s[:n], s[n+len(sep):], true
}

func checked(t target) (target, error) {
	if len(t.name) > 255 || !validRepository.MatchString(t.name) {
		return t, errName
	}
	switch t.kind {
	case kindManifests:
		if !validTag.MatchString(t.ref) && verify.CheckDigest(digest.Digest(t.ref)) != nil {
			return t, errReference
		}
	case kindBlobs, kindReferrers:
		if verify.CheckDigest(digest.Digest(t.ref)) != nil {
			return t, errDigest
		}
	}
	return t, nil
}

// What is wrong with a path.
var (
	errNoEndpoint = errors.New("a registry has nothing under this path")
	errName       = errors.New("the repository's name is not of the form that registries take")
	errReference  = errors.New("the reference is neither a tag nor a SHA-256 digest")
	errDigest     = errors.New("the digest is not sha256: with 64 hexadecimal digits in lower case")
)
