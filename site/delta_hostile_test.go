package site

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/layers/layerstest"
	"github.com/flotobuild/flotobuild/store"
)

// withDelta gives a first patch, and the description of one whose layer builds
// on that of the first.
func withDelta(m *maker) (first string, d *patch.Description, now patch.Layer) {
	old := m.layer("app", noise(1, 50<<10), store.Gzip)
	now = m.layer("app", append(noise(1, 50<<10), "more"...), store.Gzip)
	first = m.write(m.describe(0, []patch.Image{m.image("a", old)}), patch.CreateOptions{})
	d = m.describe(1, []patch.Image{m.image("a", now)}, header(m.t, first))
	layerstest.AsDelta(m.t, d, m.blobs, now, old)
	return first, d, now
}

// What a description claims about a delta is refused where it is not so, and
// leaves nothing.
func TestImportDeltaLies(t *testing.T) {
	tests := map[string]struct {
		lie  func(m *maker, d *patch.Description, now patch.Layer)
		want string
	}{
		"smaller blob": {func(_ *maker, d *patch.Description, _ patch.Layer) {
			d.Flotobuild.Images[0].Manifests[0].Layers[0].Size--
		}, "has more bytes than the description says"},
		"larger blob": {func(_ *maker, d *patch.Description, _ patch.Layer) {
			d.Flotobuild.Images[0].Manifests[0].Layers[0].Size++
		}, "and the description says"},
		"more around the layer": {withStranger, "has diff id"},
		"another compression": {func(m *maker, d *patch.Description, now patch.Layer) {
			image := m.imageOfType("a", now, ocispec.MediaTypeImageLayerZstd)
			exchange(m, d, image)
		}, "cannot be decompressed"},
		"unknown encoder": {func(_ *maker, d *patch.Description, _ patch.Layer) {
			d.Flotobuild.Transport[0].Delta.Recipe = []byte{9}
		}, "take the flotobuild that made the patch, or a newer one"},
		"bases of another layer": {func(m *maker, d *patch.Description, _ patch.Layer) {
			d.Flotobuild.Transport[0].Bases = []digest.Digest{digest.FromString("x")}
		}, "which a layer of image \"a\" builds on"},
		"more tar": {func(_ *maker, d *patch.Description, _ patch.Layer) {
			d.Flotobuild.Transport[0].Delta.Size = 1 << 43
		}, "another one than the description says"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := newMaker(t)
			first, d, now := withDelta(m)
			test.lie(m, d, now)
			path := m.write(d, patch.CreateOptions{})
			s := newSite(t)
			mustImport(t, s, first)
			_, err := s.Import(t.Context(), Source{Path: path}, ImportOptions{})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v", err)
			}
			if l := leaks(t, s); len(l) > 0 {
				t.Errorf("left: %q", l)
			}
			sound(t, s)
		})
	}
}

// withStranger makes the blob one of two gzip members, the first of which is no
// part of the layer: its digest is right, and so is the tar that the delta makes.
func withStranger(m *maker, d *patch.Description, now patch.Layer) {
	var member bytes.Buffer
	z, _ := store.Gzip.NewWriter(&member)
	z.Write([]byte("stranger"))
	z.Close()
	blob := slices.Concat(member.Bytes(), m.blobs[now.Digest])
	b := m.put(now.MediaType, blob)
	old := d.Flotobuild.Transport[0].Delta.Recipe
	parts, n := binary.Uvarint(old[1:])
	recipe := binary.AppendUvarint(old[:1:1], parts+1)
	recipe = binary.AppendUvarint(append(recipe, 0), uint64(member.Len()))
	recipe = slices.Concat(recipe, member.Bytes(), old[1+n:])
	d.Flotobuild.Transport[0].Delta.Blob, d.Flotobuild.Transport[0].Delta.Recipe = b.Digest, recipe
	now.Digest, now.Size = b.Digest, b.Size
	exchange(m, d, m.image("a", now))
}

// imageOfType is an image with a layer of another media type than it has.
func (m *maker) imageOfType(name string, l patch.Layer, mediaType string) patch.Image {
	l.MediaType = mediaType
	return m.image(name, l)
}

// exchange gives a patch with a delta another image for the same delta.
func exchange(m *maker, d *patch.Description, image patch.Image) {
	transport := d.Flotobuild.Transport
	d.SetImages([]patch.Image{image}, []*patch.Description{{RequiredImageIDs: transport[0].Bases}})
	d.Flotobuild.Transport = nil
	m.contents(d, d.Flotobuild.Images, nil)
	d.Flotobuild.Transport = transport
	x := transport[0].Delta
	made := []string{patch.VersionEntry, patch.LayoutEntry, patch.IndexEntry, patch.BlobEntry(x.Blob)}
	d.SetContents(append(slices.DeleteFunc(slices.Clone(d.Flotobuild.Contents), func(c patch.Content) bool { return slices.Contains(made, c.Path) }),
		patch.NewDeltaContent(x.Digest, int64(len(m.blobs[x.Digest])))))
}

// The room for bases is that for all of them: they stay until the import ends.
func TestImportDeltaScratch(t *testing.T) {
	a, b, c, plain := digest.FromString("a"), digest.FromString("b"), digest.FromString("c"), digest.FromString("plain")
	made := func(name string, size int64, bases ...digest.Digest) patch.LayerTransport {
		return patch.LayerTransport{Bases: bases, Delta: &patch.LayerDelta{Blob: digest.FromString(name), BaseSize: size}}
	}
	for name, test := range map[string]struct {
		deltas []patch.LayerTransport
		want   int64
	}{
		"one":                    {[]patch.LayerTransport{made("1", 5, a, b)}, 5},
		"the same bases":         {[]patch.LayerTransport{made("1", 5, a, b), made("2", 5, b, a), made("3", 2, a)}, 5},
		"other bases":            {[]patch.LayerTransport{made("1", 5, a), made("2", 7, b)}, 12},
		"an overlap":             {[]patch.LayerTransport{made("1", 5, a, b), made("2", 7, b, c)}, 12},
		"read where it is":       {[]patch.LayerTransport{made("1", 105, plain, a), made("2", 100, plain)}, 5},
		"there already":          {[]patch.LayerTransport{made("stored", 5, a), made("staged", 7, b)}, 0},
		"there, and the same":    {[]patch.LayerTransport{made("stored", 12, a, b), made("1", 7, b)}, 7},
		"nothing but the target": {[]patch.LayerTransport{made("1", 0)}, 0},
	} {
		i := &importing{
			deltas: make(map[string]patch.LayerTransport),
			layers: map[digest.Digest]ocispec.Descriptor{plain: {Digest: plain, Size: 100}},
			stored: map[digest.Digest]bool{digest.FromString("stored"): true},
			staged: map[digest.Digest]bool{digest.FromString("staged"): true},
		}
		for _, d := range test.deltas {
			i.deltas[string(d.Delta.Blob)] = d
		}
		if got := i.scratch(); got != test.want {
			t.Errorf("%s: %d bytes, want %d", name, got, test.want)
		}
	}
}
