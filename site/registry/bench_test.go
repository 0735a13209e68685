package registry

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/patch"
)

// many is a world of patches, each with images of ten layers, of which one is
// its own. The layers are in no store.
func many(b *testing.B, patches, images int) *world {
	w := newWorld(b)
	for p := range patches {
		var all []patch.Image
		for n := range images {
			i := patch.Image{Name: fmt.Sprintf("image-%03d", n)}
			m := patch.Manifest{Config: ocispec.Descriptor{Digest: digest.FromString(fmt.Sprint("config", p, n))}}
			for l := range 10 {
				m.Layers = append(m.Layers, patch.Layer{Digest: digest.FromString(fmt.Sprint("layer", n, max(l-9+p, l)))})
			}
			m.Descriptor = w.put(ocispec.MediaTypeImageManifest, fmt.Appendf(nil, "manifest %d %d", p%2, n))
			i.Descriptor, i.Manifests = m.Descriptor, []patch.Manifest{m}
			all = append(all, i)
		}
		d := w.release(1, fmt.Sprintf("1.%d.0", p), all...)
		d.ID = fmt.Sprintf("%s-%d", d.ID, p)
		w.releases[p].Digest = digest.FromString(d.ID)
	}
	w.activate(0)
	return w
}

// BenchmarkCatalog makes the catalog anew, as after each activation.
func BenchmarkCatalog(b *testing.B) {
	w := many(b, 200, 60)
	h := w.handler()
	for n := 0; b.Loop(); n++ {
		w.activate(n % 200)
		if _, err := h.fresh(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTag asks for a manifest by tag, which looks whether anything has
// changed.
func BenchmarkTag(b *testing.B) {
	h := many(b, 200, 60).handler()
	for b.Loop() {
		if r := ask(h, "GET", "/v2/image-007/manifests/active"); r.StatusCode != 200 {
			b.Fatal(r.Status)
		}
	}
}

// BenchmarkBlob sends a layer of 64 MiB.
func BenchmarkBlob(b *testing.B) {
	w := newWorld(b)
	desc := w.put("", bytes.Repeat([]byte("0123456789abcdef"), 4<<20))
	i := w.image("big", "x")
	i.Manifests[0].Layers = append(i.Manifests[0].Layers, patch.Layer{Digest: desc.Digest, Size: desc.Size})
	w.release(1, "1.0.0", i)
	h := w.handler()
	b.SetBytes(desc.Size)
	for b.Loop() {
		rec := &sink{ResponseRecorder: httptest.NewRecorder()}
		h.ServeHTTP(rec, httptest.NewRequest("GET", "/v2/big/blobs/"+desc.Digest.String(), nil))
		if rec.n != desc.Size {
			b.Fatal(rec.Code)
		}
	}
}

// A sink counts what it gets.
type sink struct {
	*httptest.ResponseRecorder
	n int64
}

func (s *sink) Write(p []byte) (int, error) {
	s.n += int64(len(p))
	return len(p), nil
}
