package executor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sys/unix"

	"github.com/flotobuild/flotobuild/patch"
	"github.com/flotobuild/flotobuild/patch/layers"
	"github.com/flotobuild/flotobuild/patch/layers/layerstest"
	"github.com/flotobuild/flotobuild/planner"
	"github.com/flotobuild/flotobuild/store"
)

// sized is a layer whose blob is said to have that many bytes.
func sized(name string, size int64) patch.Layer {
	return patch.Layer{DiffID: digest.FromString(name), Digest: digest.FromString("blob of " + name), Size: size}
}

func imageOf(name string, all ...patch.Layer) patch.Image {
	return patch.Image{Name: name, Manifests: []patch.Manifest{{Layers: all}}}
}

func requiring(images ...patch.Image) *patch.Description {
	d := &patch.Description{RequiredImageIDs: patch.Required(images)}
	d.Flotobuild.Images = images
	return d
}

// runWith is a run whose parents' layers are at hand.
func runWith(t *testing.T, atHand ...patch.Layer) *run {
	t.Helper()
	r := &run{parents: &parents{layersOf: layers.New("")}, holders: newHolders(), opts: Options{DeltaDir: filepath.Join(t.TempDir(), "deltas")}}
	for _, l := range atHand {
		r.parents.layersOf.Hold(nil, l)
	}
	t.Cleanup(func() {
		if err := r.parents.close(); err != nil {
			t.Error(err)
		}
		for _, b := range r.fetched {
			b.f.Close()
		}
	})
	return r
}

// comparing is a draft of the second patch of a chain, whose parent is the first.
func comparing(t *testing.T, parent, next *layerstest.Patch) (*run, *draft) {
	t.Helper()
	r := runWith(t)
	r.parents.layersOf = layers.New(r.opts.DeltaDir)
	r.parents.layersOf.Add(parent.Reader)
	r.sources = sources{r.holders, next.Reader}
	return r, &draft{site: &planner.SitePlan{Site: planner.Site{Name: "north"}}, parents: []*patch.Description{parent.Description}, desc: next.Description}
}

func TestDeltas(t *testing.T) {
	m := layerstest.New(t)
	one := m.Initial(m.Layer(1))
	two := m.Whole(one, m.Layer(2))
	r, d := comparing(t, one, two)
	got, err := r.deltas(t.Context(), d)
	if err != nil || len(got) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	k := got[two.Layer.Digest]
	b, err := r.holders.Blob(t.Context(), k.Transport.Delta.Digest)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	bases := func(id digest.Digest) (io.ReaderAt, int64, error) { return r.parents.layersOf.Tar(t.Context(), id) }
	if err := k.Transport.Apply(t.Context(), io.NewSectionReader(b, 0, b.Size()), bases, io.Discard, two.Layer.Size); err != nil || b.Size() != k.Size {
		t.Errorf("%d bytes: %v", b.Size(), err)
	}
	// The next run neither fetches the layer nor opens its bases.
	again, d := comparing(t, one, two)
	again.opts.DeltaDir, again.sources = r.opts.DeltaDir, nil
	if _, err := again.deltas(t.Context(), d); err != nil {
		t.Errorf("with what was kept: %v", err)
	}
	d.site.Patch.Delta = planner.DeltaOff
	if got, err := again.deltas(t.Context(), d); err != nil || len(got) > 0 {
		t.Errorf("off: %v, %v", got, err)
	}
}

// A layer that is compared twice is fetched once.
func TestLocalBlobOnce(t *testing.T) {
	m := layerstest.New(t)
	one := m.Initial(m.Layer(1))
	r, _ := comparing(t, one, one)
	first, err := r.localBlob(t.Context(), one.Layer)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := r.localBlob(t.Context(), one.Layer); err != nil || again != first || len(r.fetched) != 1 {
		t.Errorf("it is fetched again: %v", err)
	}
}

// A layer that no known program has compressed travels whole.
func TestDeltaWithoutRecipe(t *testing.T) {
	m := layerstest.New(t)
	one := m.Initial(m.Layer(1))
	two := m.Whole(one, m.Layer(2))
	r, d := comparing(t, one, two)
	blob := []byte(strings.Repeat("no compressed layer", 1000))
	l := &d.desc.Flotobuild.Images[0].Manifests[0].Layers[0]
	l.Digest, l.Size = digest.FromBytes(blob), int64(len(blob))
	r.sources = sources{r.holders, blobOf(blob)}
	if got, err := r.deltas(t.Context(), d); err != nil || len(got) > 0 {
		t.Errorf("%v, %v", got, err)
	}
	again, d := comparing(t, one, two)
	again.opts.DeltaDir, again.sources = r.opts.DeltaDir, nil
	d.desc.Flotobuild.Images[0].Manifests[0].Layers[0] = *l
	if _, err := again.deltas(t.Context(), d); err != nil {
		t.Errorf("it is looked for again: %v", err)
	}
}

// A damaged parent is no base. The message says what to do.
func TestDeltaDamagedParent(t *testing.T) {
	m := layerstest.New(t)
	one := m.Initial(m.Layer(1))
	r, d := comparing(t, one.Damaged(t), m.Whole(one, m.Layer(2)))
	_, err := r.deltas(t.Context(), d)
	if err == nil || !strings.Contains(err.Error(), `delta = "off"`) || !strings.Contains(err.Error(), "flotobuild verify") {
		t.Errorf("got %v", err)
	}
	holds(t, r.opts.DeltaDir)
}

func TestDeltaFullDisk(t *testing.T) {
	c := &comparison{cache: deltaCache{"/deltas"}}
	err := c.explain(sized("x", 1), fmt.Errorf("write: %w", unix.ENOSPC))
	if !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), `"/deltas" needs room`) {
		t.Errorf("got %v", err)
	}
}

// An interrupt ends the comparison and leaves nothing.
func TestDeltaCancelled(t *testing.T) {
	m := layerstest.New(t)
	one := m.Initial(m.Layer(1))
	r, d := comparing(t, one, m.Whole(one, m.Layer(2)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.deltas(ctx, d); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(r.opts.DeltaDir); err == nil {
		holds(t, r.opts.DeltaDir)
	}
}

// blobOf is a source of one blob.
type blobOf []byte

// Blob implements store.Source.
func (b blobOf) Blob(context.Context, digest.Digest) (store.Blob, error) {
	return memoryBlob{bytes.NewReader(b)}, nil
}
