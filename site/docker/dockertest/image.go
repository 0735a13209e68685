package dockertest

import (
	"archive/tar"
	"bytes"
	"context"
	"os"
	"runtime"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/store"
)

// Images makes images for tests in a store.
type Images struct {
	T     testing.TB
	Store *store.Store
}

// Rootfs puts the base image of the tests into the store: a layer with a shell.
func (m Images) Rootfs(c store.Compression) patch.Layer {
	m.T.Helper()
	name, ok := os.LookupEnv("FLOTOBUILD_TEST_ROOTFS")
	if !ok {
		m.T.Fatal("FLOTOBUILD_TEST_ROOTFS is not set: run \"make test\", which provides what the tests need")
	}
	f, err := os.Open(name)
	if err != nil {
		m.T.Fatal(err)
	}
	defer f.Close()
	l, err := m.Store.ImportRootfs(context.Background(), f, c)
	if err != nil {
		m.T.Fatal(err)
	}
	return patch.Layer{DiffID: l.DiffID, Digest: l.Descriptor.Digest, MediaType: l.Descriptor.MediaType, Size: l.Descriptor.Size}
}

// Layer makes a layer of one file.
func (m Images) Layer(c store.Compression, name, content string) patch.Layer {
	m.T.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
		m.T.Fatal(err)
	}
	if _, err := w.Write([]byte(content)); err != nil {
		m.T.Fatal(err)
	}
	if err := w.Close(); err != nil {
		m.T.Fatal(err)
	}
	l, err := m.Store.ImportRootfs(context.Background(), &b, c)
	if err != nil {
		m.T.Fatal(err)
	}
	return patch.Layer{DiffID: l.DiffID, Digest: l.Descriptor.Digest, MediaType: l.Descriptor.MediaType, Size: l.Descriptor.Size}
}

// Image makes an image of layers, for the platform of the machine.
func (m Images) Image(name string, layers ...patch.Layer) patch.Image {
	m.T.Helper()
	var ids []digest.Digest
	var blobs []ocispec.Descriptor
	for _, l := range layers {
		ids = append(ids, l.DiffID)
		blobs = append(blobs, ocispec.Descriptor{MediaType: l.MediaType, Digest: l.Digest, Size: l.Size})
	}
	config, cd := store.NewConfig(store.ConfigOptions{Platform: ocispec.Platform{OS: "linux", Architecture: runtime.GOARCH}, DiffIDs: ids, Labels: map[string]string{"name": name}})
	manifest, md := store.NewManifest(cd, blobs)
	for _, b := range [][]byte{config, manifest} {
		if err := m.Store.Put(context.Background(), store.Describe("", b), bytes.NewReader(b)); err != nil {
			m.T.Fatal(err)
		}
	}
	return patch.Image{
		Name: name, ID: cd.Digest, Descriptor: md,
		Manifests: []patch.Manifest{{Platform: "linux/" + runtime.GOARCH, Descriptor: md, Config: cd, Layers: layers}},
	}
}
