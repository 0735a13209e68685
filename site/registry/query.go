package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/store"
)

// Codes of errors, from the distribution specification.
const (
	codeBlobUnknown     = "BLOB_UNKNOWN"
	codeDigestInvalid   = "DIGEST_INVALID"
	codeManifestInvalid = "MANIFEST_INVALID"
	codeManifestUnknown = "MANIFEST_UNKNOWN"
	codeNameInvalid     = "NAME_INVALID"
	codeNameUnknown     = "NAME_UNKNOWN"
	codeUnsupported     = "UNSUPPORTED"
	codeUnknown         = "UNKNOWN"
)

// A query is a request on its way to an answer.
type query struct {
	*Handler
	w http.ResponseWriter
	r *http.Request
}

func (q *query) answer(t target) {
	switch t.kind {
	case kindBase:
		q.json("application/json", struct{}{})
	case kindCatalog:
		q.catalog()
	case kindTags:
		q.tags(t)
	case kindManifests:
		q.manifest(t)
	case kindBlobs:
		q.blob(t)
	case kindReferrers:
		q.referrers(t)
	}
}

// repository finds a repository in the catalog of this moment. It answers itself
// where there is none.
func (q *query) repository(t target) *repository {
	c, err := q.fresh(q.r.Context())
	if err != nil {
		q.broken("catalog", err)
		return nil
	}
	r := c.repos[t.name]
	if r == nil {
		q.fail(http.StatusNotFound, codeNameUnknown, "no patch of this site has an image of this name")
	}
	return r
}

func (q *query) manifest(t target) {
	d := digest.Digest(t.ref)
	desc, ok := manifestOf(q.known(), t.name, d)
	if !ok {
		r := q.repository(t)
		if r == nil {
			return
		}
		if desc, ok = r.tags[t.ref]; !ok {
			desc, ok = r.manifests[d]
		}
	}
	if !ok {
		q.fail(http.StatusNotFound, codeManifestUnknown, "no patch of this site has this manifest")
		return
	}
	data, err := store.ReadBlob(q.r.Context(), q.opts.Blobs, desc)
	if errors.Is(err, fs.ErrNotExist) {
		q.fail(http.StatusNotFound, codeManifestUnknown, "the manifest is not in the site's store any more")
		return
	}
	if err != nil {
		q.broken("manifest "+desc.Digest.String(), err)
		return
	}
	q.content(desc.MediaType, desc.Digest, bytes.NewReader(data))
}

func manifestOf(c *catalog, name string, d digest.Digest) (ocispec.Descriptor, bool) {
	r := c.repos[name]
	if r == nil {
		return ocispec.Descriptor{}, false
	}
	desc, ok := r.manifests[d]
	return desc, ok
}

func (q *query) blob(t target) {
	d := digest.Digest(t.ref)
	if r := q.known().repos[t.name]; r == nil || !r.has(d) {
		if r = q.repository(t); r == nil {
			return
		}
		if !r.has(d) {
			q.fail(http.StatusNotFound, codeBlobUnknown, "no image of this repository has this blob")
			return
		}
	}
	b, err := q.opts.Blobs.Blob(q.r.Context(), d)
	if errors.Is(err, fs.ErrNotExist) {
		q.fail(http.StatusNotFound, codeBlobUnknown, "the blob is not in the site's store")
		return
	}
	if err != nil {
		q.broken("blob "+d.String(), err)
		return
	}
	defer b.Close()
	q.content("application/octet-stream", d, io.NewSectionReader(b, 0, b.Size()))
}

func (r *repository) has(d digest.Digest) bool {
	_, ok := r.blobs[d]
	return ok
}

// content sends what never changes, whole or in ranges.
func (q *query) content(mediaType string, d digest.Digest, r io.ReadSeeker) {
	head := q.w.Header()
	head.Set("Content-Type", mediaType)
	head.Set("Docker-Content-Digest", d.String())
	head.Set("ETag", `"`+d.String()+`"`)
	http.ServeContent(q.w, q.r, "", noTime, r)
}

// referrers answers that nothing refers to a manifest: patches carry images, and
// statements about them beside these.
func (q *query) referrers(t target) {
	if q.repository(t) == nil {
		return
	}
	data, _ := store.NewIndex(nil)
	q.w.Header().Set("Content-Type", ocispec.MediaTypeImageIndex)
	_, _ = q.w.Write(data) // who has gone away needs no answer
}

// json answers with a value.
func (q *query) json(mediaType string, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		q.broken("answer", err)
		return
	}
	q.w.Header().Set("Content-Type", mediaType)
	_, _ = q.w.Write(b) // who has gone away needs no answer
}

// refuse answers a path that cannot be.
func (q *query) refuse(err error) {
	switch {
	case errors.Is(err, errName):
		q.fail(http.StatusBadRequest, codeNameInvalid, err.Error())
	case errors.Is(err, errReference):
		q.fail(http.StatusBadRequest, codeManifestInvalid, err.Error())
	case errors.Is(err, errDigest):
		q.fail(http.StatusBadRequest, codeDigestInvalid, err.Error())
	default:
		q.fail(http.StatusNotFound, codeUnsupported, err.Error())
	}
}

// broken logs what is wrong with the store, and tells the client no details.
func (q *query) broken(what string, err error) {
	if q.r.Context().Err() != nil {
		return // the client has gone away, and that is why
	}
	q.opts.Log.Error("registry cannot read", "what", what, "error", err.Error())
	q.fail(http.StatusInternalServerError, codeUnknown, "the site's store cannot be read; its log says why")
}

// fail answers with an error in the form of the specification.
func (q *query) fail(status int, code, message string) {
	type problem struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	b, err := json.Marshal(map[string][]problem{"errors": {{code, message}}})
	if err != nil {
		b = nil
	}
	q.w.Header().Set("Content-Type", "application/json")
	q.w.WriteHeader(status)
	_, _ = q.w.Write(b) // who has gone away needs no answer
}
