package web

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/lang"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/site"
	"github.com/flotobuild/flotobuild/store"
)

// A factory makes patches for the site "hamburg".
type factory struct {
	t     testing.TB
	dir   string
	blobs map[digest.Digest][]byte
	last  *patch.Header // what the next patch applies on top of
	day   int
	// name is that of the patch, comment what it says of itself.
	name, comment string
	// variables gives the patches variables of the site: plc, port, a secret pin,
	// and rates that go to 10.
	variables bool
}

func newFactory(t testing.TB) *factory {
	return &factory{t: t, dir: t.TempDir(), blobs: make(map[digest.Digest][]byte), name: "plant", comment: "Monthly release"}
}

func (f *factory) put(mediaType string, b []byte) ocispec.Descriptor {
	d := store.Describe(mediaType, b)
	f.blobs[d.Digest] = b
	return d
}

func (f *factory) layer(content string) patch.Layer {
	f.t.Helper()
	var plain, blob bytes.Buffer
	w := tar.NewWriter(&plain)
	w.WriteHeader(&tar.Header{Name: "file", Mode: 0o644, Size: int64(len(content))})
	io.WriteString(w, content)
	w.Close()
	z, err := store.Gzip.NewWriter(&blob)
	if err != nil {
		f.t.Fatal(err)
	}
	z.Write(plain.Bytes())
	z.Close()
	d := f.put(store.Gzip.MediaType(), blob.Bytes())
	return patch.Layer{DiffID: digest.FromBytes(plain.Bytes()), Digest: d.Digest, MediaType: d.MediaType, Size: d.Size}
}

func (f *factory) image(name string, layers ...patch.Layer) patch.Image {
	var ids []digest.Digest
	var descs []ocispec.Descriptor
	for _, l := range layers {
		ids, descs = append(ids, l.DiffID), append(descs, l.Descriptor())
	}
	config, cd := store.NewConfig(store.ConfigOptions{Platform: ocispec.Platform{OS: "linux", Architecture: "amd64"}, DiffIDs: ids})
	manifest, md := store.NewManifest(cd, descs)
	f.put(cd.MediaType, config)
	f.put(md.MediaType, manifest)
	return patch.Image{
		Name: name, Address: "image_set.all.image." + name, ID: cd.Digest, Descriptor: md,
		Manifests: []patch.Manifest{{Platform: "linux/amd64", Descriptor: md, Config: cd, Layers: layers}},
	}
}

// next writes the next patch of the site, in which the content of the historian
// has changed, and gives its path.
func (f *factory) next(historian string) string {
	f.t.Helper()
	base := f.layer(strings.Repeat("a base of everything\n", 500))
	images := []patch.Image{
		f.image("gateway", base, f.layer("gateway")),
		f.image("historian", base, f.layer(historian)),
		f.image("web-ui", base, f.layer("ui")),
	}
	f.day++
	created := patch.NewTime(time.Date(2026, 3, f.day, 11, 38, 5, 0, time.UTC))
	rev := fmt.Sprintf("plant-1.%d.0", f.day-1)
	d := &patch.Description{
		CreationDate: created, ID: patch.NewID(created.Time, rev, "hamburg"), Revision: rev, Name: f.name, SiteName: "hamburg", RootDefinitionFile: "plant.hcl",
		Comment:    f.comment,
		Flotobuild: patch.Additions{FormatVersion: patch.FormatVersion, Version: fmt.Sprintf("1.%d.0", f.day-1)},
	}
	var parents []*patch.Description
	if f.last != nil {
		d.Flotobuild.Parents, d.ParentID = []patch.ParentRef{f.last.Ref()}, f.last.Description.ID
		parents = append(parents, f.last.Description)
	}
	d.SetImages(images, parents)
	return f.write(d, images, parents)
}

func (f *factory) write(d *patch.Description, images []patch.Image, parents []*patch.Description) string {
	texts := map[string]string{
		"conf/plant.hcl":      fmt.Sprintf("day = %d\n", f.day),
		"conf/.GIT_DESCRIBE":  "1.0",
		"conf/.GIT_TIMESTAMP": "0",
		lang.ManifestEntry:    f.manifest(images),
	}
	if f.variables {
		texts["conf/plant.root.hcl"] = f.root(images)
		texts[lang.SiteEntry] = `{"formatVersion":1,"rootDefinition":"plant","file":"plant.root.hcl","folder":".","vars":{}}`
	}
	has := make(map[digest.Digest]bool)
	for _, p := range parents {
		for _, b := range patch.Blobs(p.Flotobuild.Images) {
			has[b.Digest] = true
		}
	}
	var contents []patch.Content
	for name, text := range texts {
		contents = append(contents, patch.NewContent(name, []byte(text)))
	}
	layers := make(map[digest.Digest]patch.Layer)
	for _, i := range images {
		for _, l := range i.Manifests[0].Layers {
			layers[l.Digest] = l
		}
	}
	for _, b := range patch.Blobs(images) {
		if has[b.Digest] {
			continue
		}
		contents = append(contents, patch.NewBlobContent(b.Digest, b.Size))
		if l, ok := layers[b.Digest]; ok {
			d.Flotobuild.Transport = append(d.Flotobuild.Transport, patch.LayerTransport{DiffID: l.DiffID, Kind: patch.TransportFull})
		}
	}
	d.SetContents(contents)
	w, err := patch.CreateWith(f.dir, d, patch.CreateOptions{})
	if err != nil {
		f.t.Fatal(err)
	}
	defer w.Abort()
	err = w.AddAll(context.Background(), func(_ context.Context, c patch.Content) (io.ReadCloser, error) {
		if b, ok := f.blobs[c.Digest()]; ok {
			return io.NopCloser(bytes.NewReader(b)), nil
		}
		return io.NopCloser(strings.NewReader(texts[c.Path])), nil
	})
	if err == nil {
		err = w.Publish()
	}
	if err != nil {
		f.t.Fatal(err)
	}
	p, err := patch.Open(w.Path())
	if err != nil {
		f.t.Fatal(err)
	}
	defer p.Close()
	f.last = &p.Header
	return w.Path()
}

func (f *factory) manifest(images []patch.Image) string {
	m := lang.Manifest{FormatVersion: lang.ManifestVersion, Site: "hamburg", Project: "plant", Hosts: []lang.ManifestHost{{Name: "main"}}}
	for _, i := range images {
		m.Containers = append(m.Containers, lang.ManifestContainer{Name: i.Name, Host: "main", Image: i.Name, ImageID: i.ID.String()})
	}
	if f.variables {
		m.FormatVersion = 2
		m.SiteVariables = []lang.ManifestVariable{
			{Name: "pin", Type: "string", Sensitive: true, Required: true, Description: "Opens the gate."},
			{Name: "plc", Type: "string", Required: true, Description: "Address of the PLC."},
			{Name: "port", Type: "number"},
			{Name: "rates", Type: "list(number)"},
		}
	}
	b, err := json.Marshal(m)
	if err != nil {
		f.t.Fatal(err)
	}
	return string(b)
}

// root is a root definition that makes the manifest.
func (f *factory) root(images []patch.Image) string {
	text := `
variable "plc" {
  from        = "site"
  type        = string
  description = "Address of the PLC."
}
variable "port" {
  from    = "site"
  type    = number
  default = 4840
}
variable "pin" {
  from        = "site"
  type        = string
  sensitive   = true
  description = "Opens the gate."
}
variable "rates" {
  from    = "site"
  type    = list(number)
  default = []
  validation {
    condition     = alltrue([for r in var.rates : r <= 10])
    error_message = "No rate above 10."
  }
}
host "main" {}
`
	for _, i := range images {
		text += fmt.Sprintf("container %q {\n  image = %q\n  host = \"main\"\n  env = { PLC = var.plc, PIN = var.pin, PORT = var.port }\n}\n", i.Name, i.Name)
	}
	return text
}

func newSite(t testing.TB) *site.Site {
	t.Helper()
	s, err := site.Init(filepath.Join(t.TempDir(), "site"), site.InitOptions{Name: "hamburg", By: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustImport(t testing.TB, s *site.Site, path string) string {
	t.Helper()
	i, err := s.Import(t.Context(), site.Source{Path: path}, site.ImportOptions{By: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	return i.Record.ID
}
