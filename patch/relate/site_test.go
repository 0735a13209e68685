package relate

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/store"
)

// A release is what a site should have: images as lists of layers, and files by
// entry.
type release struct {
	images map[string][]string
	files  map[string]string
	modes  map[string]patch.Mode
}

// A site makes patches of releases in a folder.
type site struct {
	t     testing.TB
	dir   string
	blobs map[digest.Digest][]byte
	n     int // patches made
	// deltas decides which layers travel as deltas; nil for none.
	deltas *rand.Rand
}

func newSite(t testing.TB) *site {
	return &site{t: t, dir: t.TempDir(), blobs: make(map[digest.Digest][]byte)}
}

func (s *site) put(mediaType string, b []byte) ocispec.Descriptor {
	d := store.Describe(mediaType, b)
	s.blobs[d.Digest] = b
	return d
}

// layer makes a layer of one file; those whose content begins with z are zstd.
func (s *site) layer(content string) patch.Layer {
	var plain, blob bytes.Buffer
	w := tar.NewWriter(&plain)
	w.WriteHeader(&tar.Header{Name: "file", Mode: 0o644, Size: int64(len(content))})
	io.WriteString(w, content)
	w.Close()
	mediaType := ocispec.MediaTypeImageLayerGzip
	if content != "" && content[0] == 'z' {
		mediaType = ocispec.MediaTypeImageLayerZstd
		z, _ := zstd.NewWriter(&blob)
		z.Write(plain.Bytes())
		z.Close()
	} else {
		z := gzip.NewWriter(&blob)
		z.Write(plain.Bytes())
		z.Close()
	}
	d := s.put(mediaType, blob.Bytes())
	return patch.Layer{DiffID: digest.FromBytes(plain.Bytes()), Digest: d.Digest, MediaType: mediaType, Size: d.Size, CreatedBy: "COPY " + content}
}

func (s *site) image(name string, contents []string) patch.Image {
	var layers []patch.Layer
	var ids []digest.Digest
	var descs []ocispec.Descriptor
	for _, c := range contents {
		l := s.layer(c)
		layers, ids, descs = append(layers, l), append(ids, l.DiffID), append(descs, l.Descriptor())
	}
	config, cd := store.NewConfig(store.ConfigOptions{Platform: ocispec.Platform{OS: "linux", Architecture: "amd64"}, DiffIDs: ids})
	s.put(cd.MediaType, config)
	manifest, md := store.NewManifest(cd, descs)
	s.put(md.MediaType, manifest)
	cache := s.put("", fmt.Appendf(nil, "cache of %s %q", name, contents))
	return patch.Image{
		Name: name, Address: "image." + name, ID: cd.Digest, Descriptor: md,
		Manifests: []patch.Manifest{{Platform: "linux/amd64", Descriptor: md, Config: cd, Layers: layers}},
		Cache:     []patch.CacheRef{{Platform: "linux/amd64", Digest: cache.Digest, Size: cache.Size}},
	}
}

// write makes the patch of a release for sites with these parents. It works out
// what travels by itself, so that it can be compared with what the package does.
func (s *site) write(r release, parents ...*patch.Reader) *patch.Reader {
	s.t.Helper()
	s.n++
	at := time.Date(2026, 3, 1, 11, s.n, 0, 0, time.UTC)
	d := &patch.Description{
		CreationDate: patch.NewTime(at), ID: patch.NewID(at, fmt.Sprintf("plant-%d", s.n), "north"), Revision: fmt.Sprintf("plant-%d", s.n), Name: "plant",
		SiteName: "north", RootDefinitionFile: "root.hcl",
	}
	d.Flotobuild.FormatVersion, d.Flotobuild.Version = patch.FormatVersion, fmt.Sprintf("1.%d.0", s.n)
	var known []*patch.Description
	has := make(map[digest.Digest]int)
	for _, p := range parents {
		known = append(known, p.Description)
		d.Flotobuild.Parents = append(d.Flotobuild.Parents, p.Ref())
		for _, b := range patch.Blobs(p.Description.Flotobuild.Images) {
			has[b.Digest]++
		}
	}
	if len(parents) > 0 {
		d.ParentID, d.ParentName, d.ParentRevision = parents[0].Ref().ID, parents[0].Description.Name, parents[0].Description.Revision
	}
	var images []patch.Image
	layers := make(map[digest.Digest]digest.Digest)
	for name, contents := range r.images {
		images = append(images, s.image(name, contents))
		for _, c := range contents {
			l := s.layer(c)
			layers[l.Digest] = l.DiffID
		}
	}
	d.SetImages(images, known)
	for _, p := range known[:min(1, len(known))] {
		for _, i := range p.Flotobuild.Images {
			if _, ok := r.images[i.Name]; !ok {
				d.Flotobuild.RemovedImages = append(d.Flotobuild.RemovedImages, patch.RemovedImage{Name: i.Name, ID: i.ID})
			}
		}
	}
	contents := s.files(r)
	records := d.Records()
	for _, b := range patch.Blobs(images) {
		isRecord := slices.ContainsFunc(records, func(c ocispec.Descriptor) bool { return c.Digest == b.Digest })
		if len(parents) > 0 && has[b.Digest] == len(parents) && !isRecord {
			continue
		}
		contents = append(contents, patch.NewBlobContent(b.Digest, b.Size))
		if id, ok := layers[b.Digest]; ok {
			d.Flotobuild.Transport = append(d.Flotobuild.Transport, patch.LayerTransport{DiffID: id, Kind: patch.TransportFull})
		}
	}
	d.SetContents(contents)
	if s.deltas != nil {
		s.someDeltas(d, known)
	}
	return s.create(d, r)
}

func (s *site) files(r release) []patch.Content {
	var out []patch.Content
	for name, text := range r.files {
		c := patch.NewContent(name, []byte(text))
		if m := r.modes[name]; m != 0 {
			c.Mode = m
		}
		out = append(out, c)
	}
	return append(out, patch.NewContent("conf/root.hcl", []byte("root\n")))
}

func (s *site) create(d *patch.Description, r release) *patch.Reader {
	s.t.Helper()
	w, err := patch.Create(s.dir, d)
	if err != nil {
		s.t.Fatal(err)
	}
	defer w.Abort()
	err = w.AddAll(s.t.Context(), func(_ context.Context, c patch.Content) (io.ReadCloser, error) {
		if b, ok := s.blobs[c.Digest()]; ok {
			return io.NopCloser(bytes.NewReader(b)), nil
		}
		if c.Path == "conf/root.hcl" {
			return io.NopCloser(bytes.NewReader([]byte("root\n"))), nil
		}
		return io.NopCloser(bytes.NewReader([]byte(r.files[c.Path]))), nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := w.Publish(); err != nil {
		s.t.Fatal(err)
	}
	return s.open(w.Path())
}

func (s *site) open(path string) *patch.Reader {
	s.t.Helper()
	p, err := patch.Open(path)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { p.Close() })
	return p
}

// path is the file of a patch that the site made.
func (s *site) path(p *patch.Reader) string {
	name, err := patch.FileName(p.Description.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.dir + "/" + name
}
