package layerstest

import (
	"bytes"
	"context"
	"io"
	"slices"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/flotobuild/flotobuild/delta"
	"github.com/flotobuild/flotobuild/delta/recipe"
	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/store"
)

// AsDelta makes a layer that d carries whole travel as a delta against the bases.
// blobs has the layers by the digests of their blobs, and gets the delta.
func AsDelta(t testing.TB, d *patch.Description, blobs map[digest.Digest][]byte, l patch.Layer, bases ...patch.Layer) {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	unpacked := func(l patch.Layer) delta.Layer {
		z, err := store.Decompress(l.MediaType, bytes.NewReader(blobs[l.Digest]))
		check(err)
		defer z.Close()
		b, err := io.ReadAll(z)
		check(err)
		return delta.Layer{Descriptor: delta.Descriptor{Digest: l.DiffID, Size: int64(len(b))}, Content: bytes.NewReader(b)}
	}
	var from []delta.Layer
	for _, b := range bases {
		from = append(from, unpacked(b))
	}
	var out bytes.Buffer
	info, err := delta.Create(context.Background(), &out, unpacked(l), from, delta.Options{})
	check(err)
	x := &patch.LayerDelta{Digest: digest.FromBytes(out.Bytes()), Blob: l.Digest, Size: info.Target.Size}
	if blob := blobs[l.Digest]; l.Digest != l.DiffID {
		r, ok, err := recipe.Identify(context.Background(), bytes.NewReader(blob), int64(len(blob)))
		if check(err); !ok {
			t.Fatal("no recipe makes the layer")
		}
		x.Recipe, err = r.MarshalBinary()
		check(err)
	}
	transport := patch.LayerTransport{DiffID: l.DiffID, Kind: patch.TransportDelta, Delta: x}
	for _, b := range info.Bases {
		transport.Bases, x.BaseSize = append(transport.Bases, b.Digest), x.BaseSize+b.Size
	}
	blobs[x.Digest] = out.Bytes()
	n := slices.IndexFunc(d.Flotobuild.Transport, func(t patch.LayerTransport) bool { return t.DiffID == l.DiffID })
	d.Flotobuild.Transport[n] = transport
	d.SetContents(append(without(d.Flotobuild.Contents, patch.BlobEntry(l.Digest)), patch.NewDeltaContent(x.Digest, int64(out.Len()))))
}

// without leaves out an entry, and those that SetContents adds.
func without(contents []patch.Content, entry string) []patch.Content {
	made := []string{patch.VersionEntry, patch.LayoutEntry, patch.IndexEntry, entry}
	return slices.DeleteFunc(slices.Clone(contents), func(c patch.Content) bool { return slices.Contains(made, c.Path) })
}
